package io.matryoshka.sae.hub;

import io.matryoshka.sae.internal.io.Checksum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.regex.Pattern;

/** The hash by which a blob is named, told from the form of its name. */
enum ContentHash {
  /** Large files: the name is the sha256 of the content. */
  SHA256("[0-9a-f]{64}", "SHA-256"),
  /** Files in git: the name is the sha1 of a short header and the content. */
  GIT_SHA1("[0-9a-f]{40}", "SHA-1"),
  /** A mirror's own name, which says nothing about the content. */
  UNKNOWN(".*", "SHA-256");

  static final int BUFFER_BYTES = 1 << 18;

  private final Pattern form;
  private final String algorithm;

  ContentHash(String form, String algorithm) {
    this.form = Pattern.compile(form);
    this.algorithm = algorithm;
  }

  static ContentHash of(String etag) {
    for (ContentHash hash : values()) {
      if (hash.form.matcher(etag).matches()) {
        return hash;
      }
    }
    return UNKNOWN;
  }

  boolean isVerifiable() {
    return this != UNKNOWN;
  }

  /** Returns a digest to which the content must be given, a header for git included. */
  MessageDigest digest(long size) {
    MessageDigest digest = Checksum.digest(algorithm);
    if (this == GIT_SHA1) {
      digest.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
    }
    return digest;
  }

  /** Reads a whole file and returns its hash in hexadecimal. */
  String hash(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MessageDigest digest = digest(channel.size());
      ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
      while (channel.read(buffer) >= 0) {
        digest.update(buffer.flip());
        buffer.clear();
      }
      return HexFormat.of().formatHex(digest.digest());
    }
  }
}
