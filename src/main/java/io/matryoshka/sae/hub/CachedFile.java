package io.matryoshka.sae.hub;

import java.nio.file.Path;
import java.util.Objects;

/**
 * A file of one revision in the cache.
 *
 * @param filename its path inside the repository, with {@code /} between folders
 * @param path where it is
 * @param sizeBytes its length; 0 if {@code complete} is false
 * @param complete false for a link whose target is missing
 */
public record CachedFile(String filename, Path path, long sizeBytes, boolean complete) {
  /**
   * Checks that nothing is {@code null}.
   *
   * @param filename its path inside the repository, with {@code /} between folders
   * @param path where it is
   * @param sizeBytes its length; 0 if {@code complete} is false
   * @param complete false for a link whose target is missing
   */
  public CachedFile {
    Objects.requireNonNull(filename, "filename");
    Objects.requireNonNull(path, "path");
  }
}
