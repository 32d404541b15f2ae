package io.matryoshka.sae.fetch;

import io.matryoshka.sae.hub.RemoteFile;
import io.matryoshka.sae.safetensors.SafetensorsHeader;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Reads the header of a safetensors file on the Hub, and no more of it. */
public final class RemoteHeader {

  private static final int FIRST_READ_BYTES = 1 << 14;

  private RemoteHeader() {}

  /**
   * Reads the header.
   *
   * @param remote the file, whose size the server told
   * @return the checked header
   * @throws IOException if it cannot be read, or is no such header
   */
  public static SafetensorsHeader read(RemoteFile remote) throws IOException {
    long size = remote.size().orElseThrow();
    ByteBuffer start = ByteBuffer.allocate((int) Math.min(size, FIRST_READ_BYTES));
    remote.read(0, start);
    start.flip();
    String source = remote.file().toString();
    int length = SafetensorsHeader.headerLength(start, source);
    long end = (long) SafetensorsHeader.LENGTH_BYTES + length;
    ByteBuffer header = ByteBuffer.allocate(length);
    header.put(
        start.slice(
            SafetensorsHeader.LENGTH_BYTES,
            Math.min(length, start.limit() - SafetensorsHeader.LENGTH_BYTES)));
    if (header.hasRemaining() && end <= size) {
      remote.read(SafetensorsHeader.LENGTH_BYTES + header.position(), header);
    }
    return SafetensorsHeader.parse(header.flip(), Math.max(0, size - end), source);
  }
}
