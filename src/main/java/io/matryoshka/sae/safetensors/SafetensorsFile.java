package io.matryoshka.sae.safetensors;

import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.store.ByteSource;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A safetensors file open for reading.
 *
 * <p>{@link #open} validates the whole header; from then on every tensor is known to lie within the
 * file. Bytes are handed out in three ways:
 *
 * <ul>
 *   <li>{@link #map(String)}: a view of a file of the disk, without a copy, for tensors below 2
 *       GiB, and {@link #map(String, long, long)} for a part of a tensor of any size;
 *   <li>{@link #read}: a copy of a part into the caller's buffer, without mapping anything;
 *   <li>{@link #readFloats(String)} and its kin: Java arrays, widened where the file's type is
 *       narrower. They never round: a dtype that the Java type cannot hold exactly is refused.
 * </ul>
 *
 * <p>All methods may be called by many threads at the same time. As with every {@link FileChannel},
 * an interrupt of a thread that reads closes the channel for all. The file must not be shortened
 * while it is open: the Java machine answers access to lost mapped pages with an {@link
 * InternalError}.
 *
 * <p>{@link #close} closes the file immediately; buffers mapped before stay valid, and their
 * address space is given back when they are garbage collected.
 */
public final class SafetensorsFile implements AutoCloseable {

  private final ByteSource source;
  private final SafetensorsHeader header;
  private volatile boolean closed;

  private SafetensorsFile(ByteSource source, SafetensorsHeader header) {
    this.source = source;
    this.header = header;
  }

  /**
   * Opens a file of the disk and validates its header.
   *
   * @param path the file
   * @return the open file, to be closed by the caller
   * @throws SafetensorsException if the file is not a valid safetensors file
   * @throws java.nio.file.NoSuchFileException if there is no such file
   * @throws IOException if the file cannot be read
   */
  public static SafetensorsFile open(Path path) throws IOException {
    Objects.requireNonNull(path, "path");
    if (Files.isDirectory(path)) {
      throw new SafetensorsException(path + ": is a directory, expected a safetensors file");
    }
    return open(FileBytes.open(path));
  }

  /**
   * Opens a file of any store and validates its header. Only a file of the disk can be mapped.
   *
   * @param source its bytes; closed with the file, and also where this method fails
   * @return the open file, to be closed by the caller
   * @throws SafetensorsException if the file is not a valid safetensors file
   * @throws IOException if the file cannot be read
   */
  public static SafetensorsFile open(ByteSource source) throws IOException {
    try {
      return new SafetensorsFile(source, SafetensorsHeader.read(source));
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
   * Returns the name of the file for messages.
   *
   * @return its path, or what another store calls it
   */
  public String name() {
    return source.name();
  }

  /**
   * Returns the file's path, as given to {@link #open(Path)}.
   *
   * @return the path
   * @throws UnsupportedOperationException if the file is not one of the disk
   */
  public Path path() {
    return disk().path();
  }

  private FileBytes disk() {
    if (source instanceof FileBytes file) {
      return file;
    }
    throw new UnsupportedOperationException(
        name() + " is not a file of the disk, so it has no path and cannot be mapped; read it");
  }

  /**
   * Returns the validated header, which outlives the file.
   *
   * @return the header
   */
  public SafetensorsHeader header() {
    return header;
  }

  /**
   * Returns the names of the tensors, in the order of their bytes in the file.
   *
   * @return an unmodifiable set
   */
  public Set<String> names() {
    return header.names();
  }

  /**
   * Returns the tensors, in the order of their bytes in the file.
   *
   * @return an unmodifiable list
   */
  public List<TensorInfo> tensors() {
    return header.tensors();
  }

  /**
   * Looks a tensor up.
   *
   * @param name the tensor's name
   * @return the tensor, or empty if there is none of that name
   */
  public Optional<TensorInfo> find(String name) {
    return header.find(name);
  }

  /**
   * Returns a tensor that must be there.
   *
   * @param name the tensor's name
   * @return the tensor
   * @throws SafetensorsException if there is none of that name
   */
  public TensorInfo info(String name) throws SafetensorsException {
    return header.info(name);
  }

  /**
   * Returns a handle on a tensor that must be there, to read it without naming it each time.
   *
   * @param name the tensor's name
   * @return the handle, usable as long as this file is open
   * @throws SafetensorsException if there is none of that name
   */
  public Tensor tensor(String name) throws SafetensorsException {
    return new Tensor(this, info(name));
  }

  /**
   * Returns the free-form metadata of the file.
   *
   * @return an unmodifiable map, empty if the file has none
   */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /**
   * Returns the absolute position of the body, to which the offsets of a {@link TensorInfo} are
   * added.
   *
   * @return the position in bytes from the start of the file
   */
  public long dataOffset() {
    return header.dataOffset();
  }

  /**
   * Returns the size of the file when it was opened.
   *
   * @return the size in bytes
   */
  public long fileSize() {
    return header.dataOffset() + header.bodyBytes();
  }

  /**
   * Maps a whole tensor. The bytes need not be aligned to the element size.
   *
   * @param name the tensor's name
   * @return a read-only, direct, little-endian view of the file from position 0 to the tensor's
   *     size; not a copy
   * @throws SafetensorsException if there is none of that name, or it is 2 GiB or larger
   * @throws IOException if the file cannot be mapped
   * @throws UnsupportedOperationException if the file is not one of the disk
   * @throws IllegalStateException if the file is closed
   */
  public ByteBuffer map(String name) throws IOException {
    TensorInfo info = info(name);
    if (info.byteCount() > Integer.MAX_VALUE) {
      throw new SafetensorsException(
          ("%sis too large for one buffer (%s bytes, at most %s); map it in parts"
                  + " with map(name, byteOffset, byteLength)")
              .formatted(where(info), info.byteCount(), Integer.MAX_VALUE));
    }
    return map(name, 0, info.byteCount());
  }

  /**
   * Maps a part of a tensor.
   *
   * @param name the tensor's name
   * @param byteOffset the first byte, counted from the start of the tensor
   * @param byteLength the number of bytes, at most {@link Integer#MAX_VALUE}
   * @return a read-only, direct, little-endian view of the file; not a copy
   * @throws SafetensorsException if there is none of that name
   * @throws IOException if the file cannot be mapped
   * @throws UnsupportedOperationException if the file is not one of the disk
   * @throws IndexOutOfBoundsException if the part is not within the tensor, or is too long
   * @throws IllegalStateException if the file is closed
   */
  public ByteBuffer map(String name, long byteOffset, long byteLength) throws IOException {
    TensorInfo info = info(name);
    checkRange(info, "byte", byteOffset, byteLength, info.byteCount());
    if (byteLength > Integer.MAX_VALUE) {
      throw new IndexOutOfBoundsException(
          "%sa part to map may have at most %s bytes, got %s"
              .formatted(where(info), Integer.MAX_VALUE, byteLength));
    }
    requireOpen();
    try {
      return disk().map(dataOffset() + info.begin() + byteOffset, byteLength);
    } catch (EOFException e) {
      throw truncated(info, e);
    }
  }

  /**
   * Copies a part of a tensor into a buffer, until the buffer is full.
   *
   * @param name the tensor's name
   * @param byteOffset the first byte, counted from the start of the tensor
   * @param target where to put the bytes, from its position to its limit
   * @throws SafetensorsException if there is none of that name, or the file has become shorter
   * @throws IOException if the file cannot be read
   * @throws IndexOutOfBoundsException if the part is not within the tensor
   * @throws IllegalStateException if the file is closed
   */
  public void read(String name, long byteOffset, ByteBuffer target) throws IOException {
    TensorInfo info = info(name);
    checkRange(info, "byte", byteOffset, target.remaining(), info.byteCount());
    requireOpen();
    try {
      source.readFully(dataOffset() + info.begin() + byteOffset, target);
    } catch (EOFException e) {
      throw truncated(info, e);
    }
  }

  /**
   * Reads a whole tensor as floats.
   *
   * @param name the tensor's name
   * @return a new array of all elements in row-major order
   * @throws SafetensorsException if there is none of that name, a {@code float} does not hold its
   *     dtype exactly, or it has too many elements for an array
   * @throws IOException if the file cannot be read
   * @throws IllegalStateException if the file is closed
   * @see #readFloats(String, long, float[])
   */
  public float[] readFloats(String name) throws IOException {
    TensorInfo info = info(name);
    ElementReader.requireFits(this, info, Widening.fitsFloat(info.dtype()), "float");
    float[] target = new float[arrayLength(info)];
    readFloats(name, 0, target);
    return target;
  }

  /**
   * Reads consecutive elements of a tensor as floats, until the array is full.
   *
   * @param name the tensor's name; its dtype is F32, F16, BF16, one of the F8 types, I16, U16, I8,
   *     U8 or BOOL
   * @param firstElement the index of the first element in row-major order
   * @param target where to put the elements
   * @throws SafetensorsException if there is none of that name, or a {@code float} does not hold
   *     its dtype exactly
   * @throws IOException if the file cannot be read
   * @throws IndexOutOfBoundsException if the elements are not within the tensor
   * @throws IllegalStateException if the file is closed
   */
  public void readFloats(String name, long firstElement, float[] target) throws IOException {
    readFloats(name, firstElement, target, 0, target.length);
  }

  /**
   * Reads consecutive elements of a tensor as floats into a part of an array.
   *
   * @param name the tensor's name; its dtype is F32, F16, BF16, one of the F8 types, I16, U16, I8,
   *     U8 or BOOL
   * @param firstElement the index of the first element in row-major order
   * @param target where to put the elements
   * @param offset the index in {@code target} of the first element
   * @param count the number of elements
   * @throws SafetensorsException if there is none of that name, or a {@code float} does not hold
   *     its dtype exactly
   * @throws IOException if the file cannot be read
   * @throws IndexOutOfBoundsException if the elements are not within the tensor or the array
   * @throws IllegalStateException if the file is closed
   */
  public void readFloats(String name, long firstElement, float[] target, int offset, int count)
      throws IOException {
    TensorInfo info = info(name);
    ElementReader.requireFits(this, info, Widening.fitsFloat(info.dtype()), "float");
    Objects.checkFromIndexSize(offset, count, target.length);
    ElementReader.read(
        this,
        info,
        firstElement,
        count,
        (bytes, done, n) -> Widening.floats(info.dtype(), bytes, target, offset + done, n));
  }

  /**
   * Reads a whole tensor as doubles: what floats can hold, and F64, I32 and U32.
   *
   * @param name the tensor's name
   * @return a new array of all elements in row-major order
   * @throws SafetensorsException if there is none of that name, a {@code double} does not hold its
   *     dtype exactly, or it has too many elements for an array
   * @throws IOException if the file cannot be read
   * @throws IllegalStateException if the file is closed
   */
  public double[] readDoubles(String name) throws IOException {
    TensorInfo info = info(name);
    ElementReader.requireFits(this, info, Widening.fitsDouble(info.dtype()), "double");
    double[] target = new double[arrayLength(info)];
    readDoubles(name, 0, target);
    return target;
  }

  /**
   * Reads consecutive elements of a tensor as doubles, until the array is full.
   *
   * @param name the tensor's name
   * @param firstElement the index of the first element in row-major order
   * @param target where to put the elements
   * @throws SafetensorsException if there is none of that name, or a {@code double} does not hold
   *     its dtype exactly
   * @throws IOException if the file cannot be read
   * @throws IndexOutOfBoundsException if the elements are not within the tensor
   * @throws IllegalStateException if the file is closed
   */
  public void readDoubles(String name, long firstElement, double[] target) throws IOException {
    TensorInfo info = info(name);
    ElementReader.requireFits(this, info, Widening.fitsDouble(info.dtype()), "double");
    ElementReader.read(
        this,
        info,
        firstElement,
        target.length,
        (bytes, done, n) -> Widening.doubles(info.dtype(), bytes, target, done, n));
  }

  /**
   * Reads a whole tensor as ints: I32, I16, U16, I8, U8, and BOOL as 0 and 1.
   *
   * @param name the tensor's name
   * @return a new array of all elements in row-major order
   * @throws SafetensorsException if there is none of that name, an {@code int} does not hold its
   *     dtype exactly, or it has too many elements for an array
   * @throws IOException if the file cannot be read
   * @throws IllegalStateException if the file is closed
   */
  public int[] readInts(String name) throws IOException {
    TensorInfo info = info(name);
    ElementReader.requireFits(this, info, Widening.fitsInt(info.dtype()), "int");
    int[] target = new int[arrayLength(info)];
    readInts(name, 0, target);
    return target;
  }

  /**
   * Reads consecutive elements of a tensor as ints, until the array is full.
   *
   * @param name the tensor's name
   * @param firstElement the index of the first element in row-major order
   * @param target where to put the elements
   * @throws SafetensorsException if there is none of that name, or an {@code int} does not hold its
   *     dtype exactly
   * @throws IOException if the file cannot be read
   * @throws IndexOutOfBoundsException if the elements are not within the tensor
   * @throws IllegalStateException if the file is closed
   */
  public void readInts(String name, long firstElement, int[] target) throws IOException {
    TensorInfo info = info(name);
    ElementReader.requireFits(this, info, Widening.fitsInt(info.dtype()), "int");
    ElementReader.read(
        this,
        info,
        firstElement,
        target.length,
        (bytes, done, n) -> Widening.ints(info.dtype(), bytes, target, done, n));
  }

  /**
   * Reads a whole tensor as longs: what ints can hold, U32, I64, and U64 as its bits (see {@link
   * Long#toUnsignedString(long)}).
   *
   * @param name the tensor's name
   * @return a new array of all elements in row-major order
   * @throws SafetensorsException if there is none of that name, it holds no integers, or it has too
   *     many elements for an array
   * @throws IOException if the file cannot be read
   * @throws IllegalStateException if the file is closed
   */
  public long[] readLongs(String name) throws IOException {
    TensorInfo info = info(name);
    ElementReader.requireFits(this, info, Widening.fitsLong(info.dtype()), "long");
    long[] target = new long[arrayLength(info)];
    readLongs(name, 0, target);
    return target;
  }

  /**
   * Reads consecutive elements of a tensor as longs, until the array is full.
   *
   * @param name the tensor's name
   * @param firstElement the index of the first element in row-major order
   * @param target where to put the elements
   * @throws SafetensorsException if there is none of that name, or it holds no integers
   * @throws IOException if the file cannot be read
   * @throws IndexOutOfBoundsException if the elements are not within the tensor
   * @throws IllegalStateException if the file is closed
   */
  public void readLongs(String name, long firstElement, long[] target) throws IOException {
    TensorInfo info = info(name);
    ElementReader.requireFits(this, info, Widening.fitsLong(info.dtype()), "long");
    ElementReader.read(
        this,
        info,
        firstElement,
        target.length,
        (bytes, done, n) -> Widening.longs(info.dtype(), bytes, target, done, n));
  }

  /** Closes the file. A second call does nothing; buffers mapped before stay valid. */
  @Override
  public void close() throws IOException {
    closed = true;
    source.close();
  }

  /** How messages about a tensor start. */
  String where(TensorInfo info) {
    return name() + ": tensor \"" + HeaderParser.shorten(info.name()) + "\" ";
  }

  void checkRange(TensorInfo info, String unit, long from, long size, long length) {
    if (from < 0 || size < 0 || from > length - size) {
      throw new IndexOutOfBoundsException(
          String.format(
              "%shas %d %ss, got a range from %s %d of length %d",
              where(info), length, unit, unit, from, size));
    }
  }

  private int arrayLength(TensorInfo info) throws SafetensorsException {
    requireOpen();
    if (info.elementCount() > ElementReader.MAX_ARRAY) {
      throw new SafetensorsException(
          ("%shas %s elements, too many for one array; read it in parts from a first"
                  + " element on")
              .formatted(where(info), info.elementCount()));
    }
    return (int) info.elementCount();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(name() + " is closed");
    }
  }

  private SafetensorsException truncated(TensorInfo info, EOFException cause) {
    return new SafetensorsException(
        "%sends beyond the file; the file has become shorter than %s bytes since it was opened"
            .formatted(where(info), fileSize()),
        cause);
  }
}
