package io.matryoshka.sae.internal.weights;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Optional;

/**
 * What the file system says of a file that is mapped: enough to see that it was written over. A
 * program that saves to the same path changes the pages that are in use; to touch those behind the
 * new end of a shorter file would end the JVM.
 *
 * @param path the file
 * @param size its length in bytes
 * @param changed when it was written last
 * @param key what the system knows the file by whatever its name is, where it tells
 */
record FileState(Path path, long size, FileTime changed, Optional<Object> key) {

  static FileState of(Path path) throws IOException {
    BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
    return new FileState(
        path, now.size(), now.lastModifiedTime(), Optional.ofNullable(now.fileKey()));
  }

  /**
   * Checks that the file is as it was. One that was deleted, or replaced by a rename, is fine: its
   * bytes stay as long as it is mapped.
   *
   * @throws IllegalStateException if it was written over
   */
  void requireUnchanged() {
    FileState now;
    try {
      now = of(path);
    } catch (IOException e) {
      return; // Deleted or moved away.
    }
    boolean replaced = key.isPresent() && now.key.isPresent() && !now.key.equals(key);
    if (!replaced && (now.size != size || !now.changed.equals(changed))) {
      throw new IllegalStateException(
          ("%s was written over while the SAE is open (%d bytes of %s, now %d of %s), and the SAE uses"
                  + " the file where it lies; load the SAE again, and save to another file that is"
                  + " then renamed to this one")
              .formatted(path, size, changed, now.size, now.changed));
    }
  }
}
