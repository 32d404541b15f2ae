package io.matryoshka.sae.hub;

import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Names one file of one model repository at one revision.
 *
 * @param repoId the repository, {@code name} or {@code owner/name}
 * @param revision a branch, a tag, a pull request ({@code refs/pr/1}) or a commit hash
 * @param filename the path inside the repository, with {@code /} between folders
 */
public record RepoFile(String repoId, String revision, String filename) {
  /** The branch that is meant when no revision is named. */
  public static final String DEFAULT_REVISION = "main";

  private static final int MAX_REPO_ID_LENGTH = 96;
  private static final Pattern REPO_ID = Pattern.compile("(?:[\\w.-]+/)?[\\w.-]+");
  private static final Pattern SEPARATORS = Pattern.compile("[/\\\\]");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /**
   * Checks the three names.
   *
   * @param repoId the repository, {@code name} or {@code owner/name}
   * @param revision a branch, a tag, a pull request ({@code refs/pr/1}) or a commit hash
   * @param filename the path inside the repository, with {@code /} between folders
   * @throws IllegalArgumentException if the repository id is not one that the Hub allows, or if the
   *     revision or the file name could leave the cache folder (absolute, or with a {@code ..} in
   *     it)
   */
  public RepoFile {
    Objects.requireNonNull(repoId, "repoId");
    Objects.requireNonNull(revision, "revision");
    Objects.requireNonNull(filename, "filename");
    requireRepoId(repoId);
    requireInsidePath("revision", revision);
    requireInsidePath("filename", filename);
  }

  /**
   * Names a file on the branch {@value #DEFAULT_REVISION}.
   *
   * @param repoId the repository, {@code name} or {@code owner/name}
   * @param filename the path inside the repository
   * @return the file
   * @throws IllegalArgumentException if a name is not allowed
   */
  public static RepoFile of(String repoId, String filename) {
    return new RepoFile(repoId, DEFAULT_REVISION, filename);
  }

  /** Tells whether the revision is a full commit hash, which never changes its meaning. */
  boolean isPinned() {
    return isCommit(revision);
  }

  static boolean isCommit(String text) {
    return COMMIT.matcher(text).matches();
  }

  /**
   * Returns the names as one text, as messages show them.
   *
   * @return {@code owner/name@revision: filename}
   */
  @Override
  public String toString() {
    return repoId + "@" + revision + ": " + filename;
  }

  private static void requireRepoId(String repoId) {
    boolean allowed =
        repoId.length() <= MAX_REPO_ID_LENGTH
            && REPO_ID.matcher(repoId).matches()
            && !repoId.contains("--")
            && !repoId.contains("..")
            && !repoId.endsWith(".git");
    for (String part : repoId.split("/", -1)) {
      allowed &=
          !part.isEmpty() && isInner(part.charAt(0)) && isInner(part.charAt(part.length() - 1));
    }
    if (!allowed) {
      throw new IllegalArgumentException(
          "repoId: expected 'name' or 'owner/name' of at most "
              + MAX_REPO_ID_LENGTH
              + " letters, digits, '_', '-' and '.', without '--' or '..', not ending in '.git',"
              + " no part starting or ending in '-' or '.', got '"
              + repoId
              + "'");
    }
  }

  private static boolean isInner(char c) {
    return c != '-' && c != '.';
  }

  private static void requireInsidePath(String what, String path) {
    boolean allowed = !path.isEmpty() && path.chars().noneMatch(c -> c < ' ' || c == 0x7f);
    for (String segment : SEPARATORS.split(path, -1)) {
      allowed &= !segment.isEmpty() && !segment.equals(".") && !segment.equals("..");
    }
    allowed &= path.length() < 2 || path.charAt(1) != ':';
    if (!allowed) {
      throw new IllegalArgumentException(
          what
              + ": expected a relative path without empty, '.' or '..' segments and control"
              + " characters, got '"
              + path
              + "'");
    }
  }
}
