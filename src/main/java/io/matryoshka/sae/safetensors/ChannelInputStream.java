package io.matryoshka.sae.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** Reads a range of a file by position, leaving the channel's own position alone. */
final class ChannelInputStream extends InputStream {

  private final FileChannel channel;
  private long position;
  private long remaining;

  ChannelInputStream(FileChannel channel, long position, long length) {
    this.channel = channel;
    this.position = position;
    this.remaining = length;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (remaining == 0) {
      return -1;
    }
    ByteBuffer chunk = ByteBuffer.wrap(target, offset, (int) Math.min(length, remaining));
    int count = channel.read(chunk, position);
    if (count > 0) {
      position += count;
      remaining -= count;
    }
    return count;
  }
}
