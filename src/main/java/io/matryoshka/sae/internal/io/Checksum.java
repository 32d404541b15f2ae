package io.matryoshka.sae.internal.io;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Digests that every Java platform has. */
public final class Checksum {

  private Checksum() {}

  /** {@return a new SHA-256 digest} */
  public static MessageDigest sha256() {
    return digest("SHA-256");
  }

  /**
   * {@return a new digest}
   *
   * @param algorithm one that the specification of the platform requires, such as {@code SHA-1}
   */
  public static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has " + algorithm, e);
    }
  }
}
