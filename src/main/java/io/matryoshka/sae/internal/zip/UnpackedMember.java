package io.matryoshka.sae.internal.zip;

import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** The bytes of a deflated member, which are unpacked to a temporary file at the first read. */
final class UnpackedMember implements ByteSource {

  private final ByteSource archive;
  private final ZipMember member;
  private final long position;
  private FileBytes file;
  private boolean closed;

  UnpackedMember(ByteSource archive, ZipMember member, long position) {
    this.archive = archive;
    this.member = member;
    this.position = position;
  }

  @Override
  public String name() {
    return archive.name() + "/" + member.name();
  }

  @Override
  public long size() {
    return member.size();
  }

  @Override
  public void readFully(long at, ByteBuffer target) throws IOException {
    file().readFully(at, target);
  }

  @Override
  public void gather(long at, long step, int width, int count, ByteBuffer target)
      throws IOException {
    file().gather(at, step, width, count, target);
  }

  private synchronized FileBytes file() throws IOException {
    if (closed) {
      throw new IllegalStateException(name() + " is closed");
    }
    if (file == null) {
      file = FileBytes.temporary(this::unpack);
    }
    return file;
  }

  private void unpack(FileChannel target) throws IOException {
    try (Inflation inflation = new Inflation(archive, member, position)) {
      ByteBuffer chunk = ByteBuffer.allocate(Inflation.CHUNK_BYTES);
      while (inflation.read(chunk)) {
        chunk.flip();
        while (chunk.hasRemaining()) {
          target.write(chunk);
        }
        chunk.clear();
      }
    }
  }

  @Override
  public synchronized void close() throws IOException {
    closed = true;
    if (file != null) {
      file.close();
    }
  }
}
