package io.matryoshka.sae.internal.fetch;

import io.matryoshka.sae.hub.RemoteFile;
import io.matryoshka.sae.store.ByteSource;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A file on the Hub as bytes by position. Small reads, such as those of headers, are answered out
 * of blocks that were read before.
 */
final class RemoteBytes implements ByteSource {

  private static final int BLOCK_BYTES = 1 << 14;

  private final RemoteFile file;
  private final long size;
  private ByteBuffer block = ByteBuffer.allocate(0);
  private long blockBegin;

  /** Reads a file whose size is known. */
  RemoteBytes(RemoteFile file) {
    this.file = file;
    this.size = file.size().orElseThrow();
  }

  @Override
  public String name() {
    return file.file().toString();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public synchronized void readFully(long position, ByteBuffer target) throws IOException {
    if (position < 0 || position > size - target.remaining()) {
      throw new EOFException(name() + ": ends at byte " + size + ", more were expected");
    }
    if (!target.hasRemaining()) {
      return;
    }
    long end = position + target.remaining();
    if (position < blockBegin || end > blockBegin + block.limit()) {
      if (target.remaining() >= BLOCK_BYTES) {
        file.read(position, target);
        return;
      }
      ByteBuffer next = ByteBuffer.allocate((int) Math.min(BLOCK_BYTES, size - position));
      file.read(position, next);
      block = next.flip();
      blockBegin = position;
    }
    target.put(block.slice((int) (position - blockBegin), target.remaining()));
  }

  /** There is nothing to close. */
  @Override
  public void close() {}
}
