package io.matryoshka.sae.store;

import java.io.IOException;

/**
 * A file of any store, not open: one on disk, or an object of an object store. Immutable and safe
 * for use by many threads. Files of activations are listed and read through it, so that a store
 * other than the disk is read by implementing this and {@link ByteSource}.
 */
public interface StoredFile {

  /**
   * Returns the name by which the file is known in messages. No two files have the same.
   *
   * @return its path or address, with {@code /} (on Windows also {@code \}) between its parts
   */
  String name();

  /**
   * Returns the last part of the name, which tells the file from others of its folder.
   *
   * @return such as {@code part-00017.safetensors}
   */
  default String fileName() {
    return name().substring(name().lastIndexOf('/') + 1);
  }

  /**
   * Asks the store for the size of the file and when it was written.
   *
   * @return what the store says now
   * @throws java.nio.file.NoSuchFileException if there is no such file
   * @throws IOException if the store does not answer
   */
  FileStamp stamp() throws IOException;

  /**
   * Opens the file for reading.
   *
   * @return its bytes, to be closed by the caller
   * @throws java.nio.file.NoSuchFileException if there is no such file
   * @throws IOException if it cannot be opened
   */
  ByteSource open() throws IOException;
}
