package io.matryoshka.sae.npy;

import io.matryoshka.sae.internal.filetype.FileType;
import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.store.ByteSource;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * closes a file of the disk for all, as with every {@link java.nio.channels.FileChannel}.
 */
public final class NpyFile implements AutoCloseable {

  /** The largest header that is read, in bytes; NumPy's headers of numeric arrays take 128. */
  public static final int MAX_HEADER_BYTES = 1 << 16;

  static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

  /** Read first: enough for what NumPy writes, and to say what else a file is. */
  private static final int FIRST_BYTES = 512;

  private static final int VERSION_BYTES = 2;

  private static final int CHUNK_BYTES = 1 << 16;

  private final ByteSource source;
  private final NpyHeader header;
  private volatile boolean closed;

  private NpyFile(ByteSource source, NpyHeader header) {
    this.source = source;
    this.header = header;
  }

  /**
   * Opens a file of the disk and checks its header against its size.
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
    return open(FileBytes.open(path));
  }

  /**
   * Opens a file of any store and checks its header against its size.
   *
   * @param source its bytes; closed with the file, and also where this method fails
   * @return the open file, to be closed by the caller
   * @throws NpyException if the file is malformed, or holds an array that is not read
   * @throws IOException if the file cannot be read
   */
  public static NpyFile open(ByteSource source) throws IOException {
    try {
      NpyHeader header = readHeader(source);
      checkSize(source, header);
      return new NpyFile(source, header);
    } catch (Throwable e) {
      try {
        source.close();
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
    return open(path).as(bits);
  }

  /**
   * Opens a file of any store whose two-byte elements hold the bits of a floating type, as {@link
   * #open(Path, HalfType)} does.
   *
   * @param source its bytes; closed with the file, and also where this method fails
   * @param bits what the elements are
   * @return the open file, to be closed by the caller
   * @throws NpyException if the file is malformed, or its elements do not have two bytes
   * @throws IOException if the file cannot be read
   */
  public static NpyFile open(ByteSource source, HalfType bits) throws IOException {
    return open(source).as(bits);
  }

  /** Hands the open file on to one that reads its elements as another type. */
  private NpyFile as(HalfType bits) throws IOException {
    NpyType type = bits == HalfType.BFLOAT16 ? NpyType.BF16 : NpyType.F2;
    if (header.type().bytes() != type.bytes()) {
      close();
      throw new NpyException(
          "%s: has elements of dtype '%s', expected two bytes each to read as %s"
              .formatted(source.name(), descr(), bits.name().toLowerCase(Locale.ROOT)));
    }
    return new NpyFile(source, header.as(type));
  }

  private static NpyHeader readHeader(ByteSource source) throws IOException {
    ByteBuffer start = read(source, 0, (int) Math.min(source.size(), FIRST_BYTES));
    byte[] magic = Arrays.copyOf(start.array(), MAGIC.length);
    if (!Arrays.equals(magic, MAGIC)) {
      String found =
          FileType.of(start.array()).problem().orElse("it does not start with \\x93NUMPY");
      throw new NpyException(
          "%s: is not a .npy file: %s"
              .formatted(source.name(), found.replaceFirst("^is ", "it is ")));
    }
    start.position(MAGIC.length);
    requireMore(source, start, VERSION_BYTES);
    int version = start.getShort() & 0xff;
    if (version < 1 || version > 3) {
      throw new NpyException(
          "%s: .npy version %s is not read, only 1 to 3".formatted(source.name(), version));
    }
    requireMore(source, start, version == 1 ? Short.BYTES : Integer.BYTES);
    long length = version == 1 ? start.getShort() & 0xffffL : start.getInt() & 0xffffffffL;
    if (length > MAX_HEADER_BYTES) {
      throw new NpyException(
          "%s: header of %s bytes, at most %s are read"
              .formatted(source.name(), length, MAX_HEADER_BYTES));
    }
    int position = start.position();
    ByteBuffer text =
        length <= start.remaining()
            ? start.slice(position, (int) length)
            : read(source, position, (int) length);
    return NpyHeaderParser.parse(
        (version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1)
            .decode(text)
            .toString(),
        position + length,
        source.name());
  }

  private static void requireMore(ByteSource source, ByteBuffer start, int count)
      throws NpyException {
    if (start.remaining() < count) {
      throw new NpyException(
          "%s: file ends at byte %d, within its header".formatted(source.name(), source.size()));
    }
  }

  private static ByteBuffer read(ByteSource source, long position, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    fill(source, position, bytes);
    return bytes.flip();
  }

  private static void fill(ByteSource source, long position, ByteBuffer target) throws IOException {
    try {
      source.readFully(position, target);
    } catch (EOFException e) {
      throw new NpyException(
          "%s: file ends before byte %d, more were expected"
              .formatted(source.name(), position + target.limit()),
          e);
    }
  }

  private static void checkSize(ByteSource source, NpyHeader header) throws NpyException {
    long needed;
    try {
      needed = header.dataBytes();
    } catch (ArithmeticException e) {
      throw new NpyException(
          "%s: shape %s overflows 64 bits"
              .formatted(source.name(), Arrays.toString(header.shape())),
          e);
    }
    long found = source.size() - header.dataOffset();
    if (needed != found) {
      throw new NpyException(
          String.format(
              "%s: shape %s of '%s' takes %d bytes, but %d follow the header; the file is %s",
              source.name(),
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
              .formatted(source.name(), elementCount(), firstElement, count));
    }
    if (closed) {
      throw new IllegalStateException(source.name() + " is closed");
    }
    if (header.type() == NpyType.V2) {
      throw new NpyException(
          source.name()
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
      fill(source, header.dataOffset() + (firstElement + done) * width, chunk);
      header.type().toFloats(chunk.flip(), target, offset + done, n);
      done += n;
    }
  }

  /** Closes the file. A second call does nothing. */
  @Override
  public void close() throws IOException {
    closed = true;
    source.close();
  }
}
