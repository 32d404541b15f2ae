package io.matryoshka.sae.internal.filetype;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** The first bytes of a file, and the signatures that they may hold. */
final class Head {

  /** A zip entry's name follows its header of 30 bytes. */
  private static final int ZIP_NAME = 30;

  private static final int ZIP_NAME_LENGTH = 26;
  private static final int TAR_MAGIC = 257;

  private final byte[] bytes;

  Head(byte[] bytes) {
    this.bytes = bytes;
  }

  boolean startsWith(int... signature) {
    return hasAt(0, signature);
  }

  boolean startsWith(String text) {
    return hasAt(0, text.chars().toArray());
  }

  private boolean hasAt(int offset, int... signature) {
    if (bytes.length < offset + signature.length) {
      return false;
    }
    for (int i = 0; i < signature.length; i++) {
      if ((bytes[offset + i] & 0xff) != signature[i]) {
        return false;
      }
    }
    return true;
  }

  /** A length of the header, then its JSON object. */
  boolean isSafetensors(long maxHeaderBytes) {
    if (bytes.length < Long.BYTES + 1 || bytes[Long.BYTES] != '{') {
      return false;
    }
    long length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return length > 0 && length <= maxHeaderBytes;
  }

  /** PyTorch and NumPy write archives whose first entry tells which of them it was. */
  FileType zipType() {
    if (bytes.length < ZIP_NAME) {
      return FileType.ZIP;
    }
    int length = (bytes[ZIP_NAME_LENGTH] & 0xff) | (bytes[ZIP_NAME_LENGTH + 1] & 0xff) << 8;
    int available = Math.min(length, bytes.length - ZIP_NAME);
    String name = new String(bytes, ZIP_NAME, available, StandardCharsets.ISO_8859_1);
    if (name.endsWith(".npy")) {
      return FileType.NPZ;
    }
    boolean torch = name.endsWith("/data.pkl") || name.endsWith("/.format_version");
    return torch || name.endsWith("/byteorder") ? FileType.TORCH_ZIP : FileType.ZIP;
  }

  Optional<FileType> binaryType() {
    if (startsWith("ARROW1") || startsWith(0xff, 0xff, 0xff, 0xff)) {
      return Optional.of(FileType.ARROW);
    }
    if (startsWith("PAR1")) {
      return Optional.of(FileType.PARQUET);
    }
    if (startsWith(0x89, 'H', 'D', 'F', '\r', '\n')) {
      return Optional.of(FileType.HDF5);
    }
    if (startsWith("GGUF")) {
      return Optional.of(FileType.GGUF);
    }
    if (startsWith(0x80) && bytes.length > 1 && bytes[1] >= 2 && bytes[1] <= 5) {
      return Optional.of(FileType.PICKLE);
    }
    return compressedType();
  }

  private Optional<FileType> compressedType() {
    if (startsWith(0x1f, 0x8b)) {
      return Optional.of(FileType.GZIP);
    }
    if (startsWith(0x28, 0xb5, 0x2f, 0xfd)) {
      return Optional.of(FileType.ZSTD);
    }
    if (startsWith("BZh")) {
      return Optional.of(FileType.BZIP2);
    }
    if (startsWith(0xfd, '7', 'z', 'X', 'Z')) {
      return Optional.of(FileType.XZ);
    }
    return hasAt(TAR_MAGIC, 'u', 's', 't', 'a', 'r') ? Optional.of(FileType.TAR) : Optional.empty();
  }

  Optional<FileType> textType() {
    String text =
        new String(bytes, StandardCharsets.UTF_8)
            .replaceFirst("^\uFEFF", "")
            .stripLeading()
            .toLowerCase(Locale.ROOT);
    if (text.startsWith("<!doctype html") || text.startsWith("<html") || text.startsWith("<head")) {
      return Optional.of(FileType.HTML);
    }
    if (text.startsWith("<?xml")) {
      return Optional.of(text.contains("<html") ? FileType.HTML : FileType.XML);
    }
    boolean object = text.startsWith("{") && text.substring(1).stripLeading().startsWith("\"");
    return object || text.startsWith("[") && isText(text)
        ? Optional.of(FileType.JSON)
        : Optional.empty();
  }

  private static boolean isText(String text) {
    return text.chars().noneMatch(c -> c == '\uFFFD' || c < ' ' && "\t\r\n".indexOf(c) < 0);
  }
}
