package io.matryoshka.sae.hub;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * One repository in the cache.
 *
 * @param type {@code model}, {@code dataset}, {@code space} or {@code kernel}
 * @param repoId {@code name} or {@code owner/name}
 * @param path its folder
 * @param sizeBytes the bytes it takes on disk; content shared by several revisions counts once
 * @param revisions in order of commit hash
 */
public record CachedRepo(
    String type, String repoId, Path path, long sizeBytes, List<CachedRevision> revisions) {
  /**
   * Copies the list.
   *
   * @param type {@code model}, {@code dataset}, {@code space} or {@code kernel}
   * @param repoId {@code name} or {@code owner/name}
   * @param path its folder
   * @param sizeBytes the bytes it takes on disk; content shared by several revisions counts once
   * @param revisions in order of commit hash
   */
  public CachedRepo {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(repoId, "repoId");
    Objects.requireNonNull(path, "path");
    revisions = List.copyOf(revisions);
  }
}
