package io.matryoshka.sae.store;

import java.nio.file.attribute.FileTime;
import java.util.Objects;

/**
 * What a store says of a file without reading it: enough to see that it was written to meanwhile.
 *
 * @param sizeBytes the size of the file
 * @param modified when the file was last written
 */
public record FileStamp(long sizeBytes, FileTime modified) {

  /**
   * Checks the parts.
   *
   * @param sizeBytes the size of the file
   * @param modified when the file was last written
   */
  public FileStamp {
    Objects.requireNonNull(modified, "modified");
  }
}
