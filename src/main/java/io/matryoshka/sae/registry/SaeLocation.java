package io.matryoshka.sae.registry;

import java.net.URL;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;

/** Where the folder of an SAE (cfg.json and weights) lies. */
public sealed interface SaeLocation {

  /**
   * A folder of a model repository on the Hugging Face Hub.
   *
   * @param repoId the repository, as {@code owner/name}
   * @param path the folder in the repository, with {@code /} between names; empty for its top
   * @param revision a branch, tag or commit
   */
  record Hub(String repoId, String path, String revision) implements SaeLocation {

    /** The revision meant where none is given. */
    public static final String DEFAULT_REVISION = "main";

    /**
     * Checks the three parts.
     *
     * @param repoId the repository, as {@code owner/name}
     * @param path the folder in the repository; empty for its top
     * @param revision a branch, tag or commit
     * @throws IllegalArgumentException if the repository is not of the form {@code owner/name}, the
     *     path leaves the repository, or the revision is blank
     */
    public Hub {
      Objects.requireNonNull(repoId, "repoId");
      Objects.requireNonNull(revision, "revision");
      if (!repoId.matches("[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")) {
        throw new IllegalArgumentException(
            "repo: expected owner/name of letters, digits, '.', '_' and '-', got '" + repoId + "'");
      }
      if (revision.isBlank()) {
        throw new IllegalArgumentException(
            "revision: expected a branch, tag or commit, got a blank text");
      }
      requireInside(path);
    }

    /**
     * A folder at the default revision.
     *
     * @param repoId the repository, as {@code owner/name}
     * @param path the folder in the repository; empty for its top
     * @throws IllegalArgumentException if the repository or the path is malformed
     */
    public Hub(String repoId, String path) {
      this(repoId, path, DEFAULT_REVISION);
    }
  }

  /**
   * A folder that ships with the library, beside the release tables.
   *
   * @param resourceFolder the folder, relative to the release tables, with {@code /} between names
   */
  record Bundled(String resourceFolder) implements SaeLocation {

    private static final String ROOT = "/io/matryoshka/sae/releases/";

    /**
     * Checks the folder's name.
     *
     * @param resourceFolder the folder
     * @throws IllegalArgumentException if it is empty or leaves the folder of the release tables
     */
    public Bundled {
      requireInside(resourceFolder);
      if (resourceFolder.isEmpty()) {
        throw new IllegalArgumentException("path: a bundled SAE needs a folder, got an empty text");
      }
    }

    /**
     * Finds a file of this folder on the class path.
     *
     * @param fileName the name of the file, such as {@code cfg.json}
     * @return its address, or empty if there is no such file
     * @throws IllegalArgumentException if the name leaves the folder
     */
    public Optional<URL> resource(String fileName) {
      requireInside(fileName);
      return Optional.ofNullable(
          SaeLocation.class.getResource(ROOT + resourceFolder + "/" + fileName));
    }
  }

  /**
   * A folder on disk.
   *
   * @param path the folder
   */
  record Directory(Path path) implements SaeLocation {

    /**
     * Checks that a path is given.
     *
     * @param path the folder
     */
    public Directory {
      Objects.requireNonNull(path, "path");
    }
  }

  private static void requireInside(String path) {
    Objects.requireNonNull(path, "path");
    boolean leaves =
        !path.isEmpty()
            && Arrays.stream(path.split("/", -1))
                .anyMatch(name -> name.isBlank() || name.equals(".") || name.equals(".."));
    if (leaves || path.contains("\\")) {
      throw new IllegalArgumentException(
          "path: expected folder names joined by '/', without '.', '..' or '\\', got '"
              + path
              + "'");
    }
  }
}
