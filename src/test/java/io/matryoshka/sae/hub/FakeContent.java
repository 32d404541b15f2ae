package io.matryoshka.sae.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The bytes of a file that a {@link FakeHub} serves. */
interface FakeContent {
  /** Returns the length in bytes. */
  long size();

  /** Writes a range of the bytes. */
  void write(long offset, long length, OutputStream out) throws IOException;

  static FakeContent of(byte[] bytes) {
    byte[] copy = bytes.clone();
    return new FakeContent() {
      @Override
      public long size() {
        return copy.length;
      }

      @Override
      public void write(long offset, long length, OutputStream out) throws IOException {
        out.write(copy, Math.toIntExact(offset), Math.toIntExact(length));
      }
    };
  }

  static FakeContent of(Path file) throws IOException {
    long size = Files.size(file);
    return new FakeContent() {
      @Override
      public long size() {
        return size;
      }

      @Override
      public void write(long offset, long length, OutputStream out) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
          in.skipNBytes(offset);
          byte[] buffer = new byte[1 << 16];
          for (long left = length; left > 0; ) {
            int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
            out.write(buffer, 0, read);
            left -= read;
          }
        }
      }
    };
  }

  /** Makes bytes up from a seed, without holding them. */
  static FakeContent generated(long size, long seed) {
    byte[] block = new byte[1 << 20];
    new java.util.Random(seed).nextBytes(block);
    return new FakeContent() {
      @Override
      public long size() {
        return size;
      }

      @Override
      public void write(long offset, long length, OutputStream out) throws IOException {
        long end = offset + length;
        for (long at = offset; at < end; ) {
          int from = (int) (at % block.length);
          int count = (int) Math.min(block.length - from, end - at);
          out.write(block, from, count);
          at += count;
        }
      }
    };
  }

  /** Returns the etag under which the Hub would serve this. */
  default String etag(boolean lfs) {
    try {
      MessageDigest digest = MessageDigest.getInstance(lfs ? "SHA-256" : "SHA-1");
      if (!lfs) {
        digest.update(("blob " + size() + "\0").getBytes(java.nio.charset.StandardCharsets.UTF_8));
      }
      try (OutputStream sink =
          new java.security.DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
        write(0, size(), sink);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException | IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
