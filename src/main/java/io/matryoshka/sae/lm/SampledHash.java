package io.matryoshka.sae.lm;

import io.matryoshka.sae.internal.io.Checksum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Collection;
import java.util.HexFormat;

/** Tells large files apart by their names, their sizes and blocks at regular places. */
final class SampledHash {

  private static final int BLOCKS = 16;
  private static final int BLOCK_BYTES = 1 << 16;

  private SampledHash() {}

  /**
   * Hashes files, in their order; of each the name, the size and {@value #BLOCKS} blocks, the first
   * at its begin and the last at its end.
   *
   * @return a SHA-256 in hexadecimal digits
   */
  static String of(Collection<Path> files) throws IOException {
    MessageDigest digest = Checksum.sha256();
    for (Path file : files) {
      try (FileChannel channel = FileChannel.open(file)) {
        String line = file.getFileName() + "\n" + channel.size() + "\n";
        digest.update(line.getBytes(StandardCharsets.UTF_8));
        add(channel, digest);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void add(FileChannel channel, MessageDigest digest) throws IOException {
    long last = Math.max(0, channel.size() - BLOCK_BYTES);
    ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
    for (int i = 0; i < BLOCKS; i++) {
      long at = last / (BLOCKS - 1) * i + last % (BLOCKS - 1) * i / (BLOCKS - 1);
      block.clear();
      while (block.hasRemaining() && channel.read(block, at + block.position()) >= 0) {
        // A read may stop short of the block.
      }
      digest.update(block.flip());
    }
  }
}
