package io.matryoshka.sae.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Bytes that are read by position: a file on disk, or one on a server. All methods may be called by
 * many threads at the same time.
 */
public interface ByteSource extends Closeable {

  /**
   * Returns the name for messages.
   *
   * @return such as the path of the file
   */
  String name();

  /**
   * Returns the number of bytes when the source was opened.
   *
   * @return the size in bytes
   */
  long size();

  /**
   * Copies bytes into a buffer until the buffer is full.
   *
   * @param position the first byte
   * @param target where to put the bytes, from its position to its limit
   * @throws java.io.EOFException if the source ends before
   * @throws IOException if the bytes cannot be read
   */
  void readFully(long position, ByteBuffer target) throws IOException;

  /**
   * Copies elements that lie a fixed distance apart.
   *
   * @param position the first byte of the first element
   * @param step the distance of the first bytes of two elements, in bytes
   * @param width the size of one element in bytes
   * @param count the number of elements
   * @param target where to put them, one after the other
   * @throws IOException if the bytes cannot be read
   */
  default void gather(long position, long step, int width, int count, ByteBuffer target)
      throws IOException {
    int end = target.limit();
    for (int i = 0; i < count; i++) {
      target.limit(target.position() + width);
      readFully(position + i * step, target);
    }
    target.limit(end);
  }
}
