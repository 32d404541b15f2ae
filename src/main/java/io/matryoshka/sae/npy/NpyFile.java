package io.matryoshka.sae.npy;

import io.matryoshka.sae.internal.filetype.FileType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * A {@code .npy} file open for reading, of format version 1, 2 or 3.
 *
 * <p>Arrays in Fortran (column-major) order are read, too; elements are counted and returned in
 * row-major order all the same.
 *
 * <p>Elements are read by position, in parts of any size; the array is never held as a whole. All
 * methods may be called by many threads at the same time; an interrupt of a thread that reads
 * closes the file for all, as with every {@link FileChannel}.
 */
public final class NpyFile implements AutoCloseable {

  /** The largest header that is read, in bytes; NumPy's headers of numeric arrays take 128. */
  public static final int MAX_HEADER_BYTES = 1 << 16;

  static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

  private static final int CHUNK_BYTES = 1 << 16;

  private final Path path;
  private final FileChannel channel;
  private final NpyHeader header;

  private NpyFile(Path path, FileChannel channel, NpyHeader header) {
    this.path = path;
    this.channel = channel;
    this.header = header;
  }

  /**
   * Opens a file and checks its header against its size.
   *
   * @param path the file
   * @return the open file, to be closed by the caller
   * @throws NpyException if the file is malformed, or holds an array that is not read
   * @throws java.nio.file.NoSuchFileException if there is no such file
   * @throws IOException if the file cannot be read
   */
  public static NpyFile open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new NpyException(path + ": is a directory, expected a .npy file");
    }
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      NpyHeader header = readHeader(path, channel);
      checkSize(path, header, channel.size());
      return new NpyFile(path, channel, header);
    } catch (Throwable e) {
      try {
        channel.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  /**
   * Opens a file of two-byte elements that hold the bits of a floating type, whatever type the
   * header names: {@code V2} as ml_dtypes writes bfloat16, or {@code u2} and {@code i2} from a view
   * in PyTorch.
   *
   * @param path the file
   * @param bits what the elements are
   * @return the open file, to be closed by the caller
   * @throws NpyException if the file is malformed, or its elements do not have two bytes
   * @throws IOException if the file cannot be read
   */
  public static NpyFile open(Path path, HalfType bits) throws IOException {
    NpyFile file = open(path);
    NpyType type = bits == HalfType.BFLOAT16 ? NpyType.BF16 : NpyType.F2;
    if (file.header.type().bytes() != type.bytes()) {
      file.close();
      throw new NpyException(
          "%s: has elements of dtype '%s', expected two bytes each to read as %s"
              .formatted(path, file.descr(), bits.name().toLowerCase(Locale.ROOT)));
    }
    return new NpyFile(path, file.channel, file.header.as(type));
  }

  private static NpyHeader readHeader(Path path, FileChannel channel) throws IOException {
    ByteBuffer start = read(path, channel, 0, MAGIC.length + 2);
    byte[] magic = new byte[MAGIC.length];
    start.get(magic);
    if (!Arrays.equals(magic, MAGIC)) {
      String found = FileType.of(path).problem().orElse("it does not start with \\x93NUMPY");
      throw new NpyException(
          "%s: is not a .npy file: %s".formatted(path, found.replaceFirst("^is ", "it is ")));
    }
    int version = start.get();
    if (version < 1 || version > 3) {
      throw new NpyException(
          "%s: .npy version %s is not read, only 1 to 3".formatted(path, version));
    }
    int lengthBytes = version == 1 ? Short.BYTES : Integer.BYTES;
    long position = start.capacity();
    ByteBuffer field = read(path, channel, position, lengthBytes);
    long length = version == 1 ? field.getShort() & 0xffffL : field.getInt() & 0xffffffffL;
    if (length > MAX_HEADER_BYTES) {
      throw new NpyException(
          "%s: header of %s bytes, at most %s are read".formatted(path, length, MAX_HEADER_BYTES));
    }
    position += lengthBytes;
    ByteBuffer text = read(path, channel, position, (int) length);
    return NpyHeaderParser.parse(
        (version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1)
            .decode(text)
            .toString(),
        position + length,
        path.toString());
  }

  private static ByteBuffer read(Path path, FileChannel channel, long position, int length)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    fill(path, channel, position, bytes);
    return bytes.flip();
  }

  private static void fill(Path path, FileChannel channel, long position, ByteBuffer target)
      throws IOException {
    long next = position;
    while (target.hasRemaining()) {
      int count = channel.read(target, next);
      if (count < 0) {
        throw new NpyException(
            "%s: file ends at byte %s, more were expected".formatted(path, next));
      }
      next += count;
    }
  }

  private static void checkSize(Path path, NpyHeader header, long fileSize) throws NpyException {
    long needed;
    try {
      needed = header.dataBytes();
    } catch (ArithmeticException e) {
      throw new NpyException(
          "%s: shape %s overflows 64 bits".formatted(path, Arrays.toString(header.shape())), e);
    }
    long found = fileSize - header.dataOffset();
    if (needed != found) {
      throw new NpyException(
          String.format(
              "%s: shape %s of '%s' takes %d bytes, but %d follow the header; the file is %s",
              path,
              Arrays.toString(header.shape()),
              header.descr(),
              needed,
              found,
              needed > found ? "truncated" : "longer than its one array"));
    }
  }

  /**
   * Returns the dimensions.
   *
   * @return a new array, outermost first; empty for a scalar
   */
  public long[] shape() {
    return header.shape().clone();
  }

  /**
   * Returns the element type as NumPy writes it.
   *
   * @return a description such as {@code <f4}: byte order, kind, and size in bytes
   */
  public String descr() {
    return header.descr();
  }

  /**
   * Returns the number of elements.
   *
   * @return the product of the dimensions, 1 for a scalar
   */
  public long elementCount() {
    return header.elementCount();
  }

  /**
   * Reads consecutive elements as floats. Types that a {@code float} does not hold exactly (f8, and
   * integers of 4 and 8 bytes) are rounded to the nearest float.
   *
   * @param firstElement the index of the first element in row-major order
   * @param target where to put the elements
   * @param offset the index in {@code target} of the first element
   * @param count the number of elements
   * @throws NpyException if the file has become shorter since it was opened
   * @throws IOException if the file cannot be read
   * @throws IndexOutOfBoundsException if the elements are not within the array or the target
   * @throws IllegalStateException if the file is closed
   */
  public void readFloats(long firstElement, float[] target, int offset, int count)
      throws IOException {
    Objects.checkFromIndexSize(offset, count, target.length);
    if (firstElement < 0 || firstElement > elementCount() - count) {
      throw new IndexOutOfBoundsException(
          "%s: has %s elements, got a range from %s of length %s"
              .formatted(path, elementCount(), firstElement, count));
    }
    if (!channel.isOpen()) {
      throw new IllegalStateException(path + " is closed");
    }
    if (header.type() == NpyType.V2) {
      throw new NpyException(
          path
              + ": two-byte values without a number type; if they are bfloat16, say so (--as"
              + " bfloat16), or save them as safetensors from PyTorch");
    }
    if (header.fortranOrder()) {
      new FortranOrder(header.shape(), (first, piece, n) -> readStored(first, piece, 0, n))
          .read(firstElement, target, offset, count);
    } else {
      readStored(firstElement, target, offset, count);
    }
  }

  /** Reads consecutive elements as they lie in the file. */
  private void readStored(long firstElement, float[] target, int offset, int count)
      throws IOException {
    int width = header.type().bytes();
    int perChunk = Math.min(count, CHUNK_BYTES / width);
    ByteBuffer chunk = ByteBuffer.allocate(perChunk * width).order(header.order());
    for (int done = 0; done < count; ) {
      int n = Math.min(perChunk, count - done);
      chunk.clear().limit(n * width);
      fill(path, channel, header.dataOffset() + (firstElement + done) * width, chunk);
      header.type().toFloats(chunk.flip(), target, offset + done, n);
      done += n;
    }
  }

  /** Closes the file. A second call does nothing. */
  @Override
  public void close() throws IOException {
    channel.close();
  }
}
