package io.matryoshka.sae.stream;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.io.Checksum;
import io.matryoshka.sae.internal.io.DiskFile;
import io.matryoshka.sae.store.ByteSource;
import io.matryoshka.sae.store.StoredFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/** Short texts that differ when an SAE or a file differs, at the cost of reading a part of it. */
public final class Fingerprint {

  /** Encoder rows that go into the fingerprint of an SAE, beside all of its vectors. */
  private static final int SAMPLED_ROWS = 16;

  /** Latents whose decoder rows, or inputs whose skip rows, are read at a time. */
  private static final int ROWS_AT_ONCE = 256;

  /** Bytes at the begin and at the end that go into the fingerprint of a file. */
  private static final int END_BYTES = 1 << 16;

  private Fingerprint() {}

  /**
   * Hashes thresholds, biases and some encoder rows of an SAE, wherever it was loaded from: what
   * tells encoders apart.
   */
  static String ofEncoder(SAE sae) {
    MessageDigest digest = Checksum.sha256();
    add(digest, sae.thresholds());
    add(digest, sae.encoderBias());
    add(digest, sae.decoderBias());
    int width = sae.dSae();
    int sampled = Math.min(SAMPLED_ROWS, width);
    for (int i = 0; i < sampled; i++) {
      int latent = (int) ((long) width * i / sampled);
      add(digest, sae.encoderRows(latent, latent + 1));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * Hashes the bias, every decoder row and the skip connection of an SAE. All of it, as a change of
   * one row changes figures: less work than decoding once.
   */
  static String ofDecoder(SAE sae) {
    MessageDigest digest = Checksum.sha256();
    add(digest, sae.decoderBias());
    for (int from = 0; from < sae.dSae(); from += ROWS_AT_ONCE) {
      add(digest, sae.decoderRows(from, Math.min(sae.dSae(), from + ROWS_AT_ONCE)));
    }
    if (sae.isTranscoder()) {
      addSkip(digest, sae);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Adds what the skip connection makes of unit vectors, in which nothing is rounded. */
  private static void addSkip(MessageDigest digest, SAE sae) {
    int dIn = sae.dIn();
    for (int from = 0; from < dIn; from += ROWS_AT_ONCE) {
      int rows = Math.min(ROWS_AT_ONCE, dIn - from);
      float[] units = new float[rows * dIn];
      for (int i = 0; i < rows; i++) {
        units[i * dIn + from + i] = 1;
      }
      add(digest, sae.skip(FloatBuffer.wrap(units), rows));
    }
  }

  /**
   * Hashes the first and the last bytes of a file of the disk.
   *
   * @param file the file
   * @return a SHA-256 in hexadecimal digits
   * @throws IOException if it cannot be read
   */
  public static String of(Path file) throws IOException {
    return of(new DiskFile(file));
  }

  /**
   * Hashes the first and the last bytes of a file.
   *
   * @param file the file
   * @return a SHA-256 in hexadecimal digits
   * @throws IOException if it cannot be read
   */
  public static String of(StoredFile file) throws IOException {
    MessageDigest digest = Checksum.sha256();
    try (ByteSource source = file.open()) {
      long size = source.size();
      add(digest, source, 0, Math.min(END_BYTES, size));
      add(digest, source, Math.max(0, size - END_BYTES), size);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void add(MessageDigest digest, ByteSource source, long from, long to)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) (to - from));
    source.readFully(from, bytes);
    digest.update(bytes.flip());
  }

  private static void add(MessageDigest digest, float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    digest.update(bytes);
  }
}
