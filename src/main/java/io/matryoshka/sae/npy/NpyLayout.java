package io.matryoshka.sae.npy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Where the elements of an array lie in the bytes of a {@code .npy} file, such as one in an
 * archive.
 *
 * @param descr the element type as NumPy writes it, such as {@code <f4}
 * @param order the byte order
 * @param shape the dimensions, outermost first; empty for a scalar
 * @param fortranOrder true if the first index runs fastest
 * @param dataOffset the position of the first element
 */
public record NpyLayout(
    String descr, ByteOrder order, long[] shape, boolean fortranOrder, long dataOffset) {

  /** Enough first bytes of a file for {@link #parse}. */
  public static final int MAX_START_BYTES = NpyFile.MAX_HEADER_BYTES + 12;

  /**
   * Reads a header.
   *
   * @param start the first {@link #MAX_START_BYTES} of the file, or all if it is shorter
   * @param name the name for messages
   * @return where the elements lie
   * @throws NpyException if the header is malformed, or the array is of a kind that is not read
   */
  public static NpyLayout parse(byte[] start, String name) throws NpyException {
    ByteBuffer bytes = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
    int versionAt = NpyFile.MAGIC.length;
    int lengthAt = versionAt + 2;
    int version = start.length < lengthAt + Integer.BYTES ? 0 : start[versionAt];
    boolean magic = Arrays.equals(NpyFile.MAGIC, Arrays.copyOf(start, NpyFile.MAGIC.length));
    if (!magic || version < 1 || version > 3) {
      throw new NpyException(name + ": is not a .npy file of version 1 to 3");
    }
    long length =
        version == 1 ? bytes.getShort(lengthAt) & 0xffffL : bytes.getInt(lengthAt) & 0xffffffffL;
    int textAt = lengthAt + (version == 1 ? Short.BYTES : Integer.BYTES);
    if (length > NpyFile.MAX_HEADER_BYTES || length > start.length - textAt) {
      throw new NpyException(
          "%s: header of %d bytes, at most %d are read, and the file must hold them"
              .formatted(name, length, NpyFile.MAX_HEADER_BYTES));
    }
    String text =
        new String(
            start,
            textAt,
            (int) length,
            version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
    NpyHeader header = NpyHeaderParser.parse(text, textAt + length, name);
    return new NpyLayout(
        header.descr(), header.order(), header.shape(), header.fortranOrder(), header.dataOffset());
  }
}
