package io.matryoshka.sae.internal.weights;

import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.Widening;
import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;

/**
 * A tensor in a file. Element {@code [i, j, …]} lies at byte {@code position + (i * strides[0] + j
 * * strides[1] + …) * width} of the source, where {@code width} is the size of an element in bytes.
 *
 * <p>Elements are numbered in row-major order of {@code shape}, whatever the strides. A transposed
 * tensor is thus another view of the same bytes.
 */
public final class StoredTensor {

  private static final int CHUNK_BYTES = 1 << 17;

  private static final ThreadLocal<ByteBuffer> CHUNK =
      ThreadLocal.withInitial(() -> ByteBuffer.allocate(CHUNK_BYTES));

  private final String name;
  private final Dtype dtype;
  private final ByteOrder order;
  private final long[] shape;
  private final long[] strides;
  private final ByteSource source;
  private final long position;
  private final long elements;

  /**
   * Creates a view of bytes.
   *
   * @param name the name in the file
   * @param dtype the element type, of whole bytes
   * @param order the byte order of an element
   * @param shape the dimensions, empty for a scalar; copied
   * @param strides the distance of neighbours along each dimension, in elements, from 0 on; copied
   * @param source the bytes
   * @param position the byte of the source at which the first element starts
   * @throws IllegalArgumentException if a number is negative, an element lies beyond the source, or
   *     the sizes overflow
   */
  public StoredTensor(
      String name,
      Dtype dtype,
      ByteOrder order,
      long[] shape,
      long[] strides,
      ByteSource source,
      long position) {
    this.name = Objects.requireNonNull(name, "name");
    this.dtype = Objects.requireNonNull(dtype, "dtype");
    this.order = Objects.requireNonNull(order, "order");
    this.shape = shape.clone();
    this.strides = strides.clone();
    this.source = Objects.requireNonNull(source, "source");
    this.position = position;
    try {
      this.elements =
          Arrays.stream(shape).anyMatch(n -> n == 0)
              ? 0
              : Arrays.stream(shape).reduce(1, Math::multiplyExact);
      requireWithin(source.size());
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(this + ": sizes overflow 64 bits", e);
    }
  }

  private void requireWithin(long size) {
    if (dtype.isSubByte()) {
      throw new IllegalArgumentException(this + ": elements smaller than a byte are not read");
    }
    if (shape.length != strides.length
        || Arrays.stream(shape).anyMatch(n -> n < 0)
        || Arrays.stream(strides).anyMatch(n -> n < 0)) {
      throw new IllegalArgumentException(
          this + ": needs one stride a dimension, none negative, got " + Arrays.toString(strides));
    }
    if (position < 0 || position > size || Math.addExact(position, spanBytes()) > size) {
      throw new IllegalArgumentException(
          this + ": ends beyond " + source.name() + ", which has " + size + " bytes");
    }
  }

  /**
   * Returns the strides of a tensor whose elements follow each other in row-major order.
   *
   * @param shape the dimensions
   * @return one stride a dimension, in elements
   * @throws ArithmeticException if the sizes overflow
   */
  public static long[] rowMajor(long[] shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      strides[axis] = stride;
      stride = Math.multiplyExact(stride, Math.max(1, shape[axis]));
    }
    return strides;
  }

  /**
   * Creates a tensor whose elements lie in row-major order.
   *
   * @param name the name in the file
   * @param dtype the element type
   * @param shape the dimensions
   * @param source the bytes
   * @param position the byte of the source at which the first element starts
   * @return the tensor
   * @throws IllegalArgumentException if it lies beyond the source
   */
  public static StoredTensor rowMajor(
      String name, Dtype dtype, long[] shape, ByteSource source, long position) {
    return new StoredTensor(
        name, dtype, ByteOrder.LITTLE_ENDIAN, shape, rowMajor(shape), source, position);
  }

  /**
   * Returns the name in the file, or the one given by {@link #named}.
   *
   * @return the name
   */
  public String name() {
    return name;
  }

  /**
   * Returns the element type.
   *
   * @return the dtype
   */
  public Dtype dtype() {
    return dtype;
  }

  /**
   * Returns the dimensions.
   *
   * @return a new array, outermost first; empty for a scalar
   */
  public long[] shape() {
    return shape.clone();
  }

  /**
   * Returns the number of elements.
   *
   * @return the product of the dimensions, 1 for a scalar
   */
  public long elementCount() {
    return elements;
  }

  /**
   * Returns the distances of neighbours.
   *
   * @return a new array with one stride a dimension, in elements
   */
  public long[] strides() {
    return strides.clone();
  }

  /**
   * Returns the bytes that the tensor is a view of.
   *
   * @return the source
   */
  public ByteSource source() {
    return source;
  }

  /**
   * Returns where the first element starts.
   *
   * @return the byte of the source
   */
  public long position() {
    return position;
  }

  /**
   * Tells whether the elements follow each other in row-major order, so that they can be mapped.
   *
   * @return true for little-endian elements without gaps
   */
  public boolean isContiguous() {
    long stride = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      if (shape[axis] != 1 && strides[axis] != stride) {
        return false;
      }
      stride *= Math.max(1, shape[axis]);
    }
    return isLittleEndian();
  }

  /**
   * Tells whether elements need no swapping of their bytes.
   *
   * @return true for little-endian elements, and those of one byte
   */
  public boolean isLittleEndian() {
    return order == ByteOrder.LITTLE_ENDIAN || dtype.bits() == Byte.SIZE;
  }

  /**
   * Returns the same tensor under another name.
   *
   * @param other the name
   * @return a view
   */
  public StoredTensor named(String other) {
    return new StoredTensor(other, dtype, order, shape, strides, source, position);
  }

  /**
   * Returns the tensor with its dimensions in reverse order.
   *
   * @return a view, not a copy
   */
  public StoredTensor transposed() {
    return new StoredTensor(
        name, dtype, order, reversed(shape), reversed(strides), source, position);
  }

  /**
   * Returns the first elements along one dimension.
   *
   * @param axis the dimension
   * @param count their number, at most the size of the dimension
   * @return a view, not a copy
   */
  public StoredTensor first(int axis, long count) {
    long[] narrowed = shape.clone();
    narrowed[axis] = Math.min(count, shape[axis]);
    return new StoredTensor(name, dtype, order, narrowed, strides, source, position);
  }

  /**
   * Returns a scalar, or a vector of one element, as a vector that repeats it.
   *
   * @param count the length of the vector
   * @return a view, not a copy
   * @throws IllegalArgumentException if this tensor has another number of elements than one
   */
  public StoredTensor repeated(long count) {
    if (elementCount() != 1) {
      throw new IllegalArgumentException(this + ": expected one element to repeat");
    }
    return new StoredTensor(
        name, dtype, order, new long[] {count}, new long[] {0}, source, position);
  }

  /**
   * Returns how many bytes of the source the tensor spans.
   *
   * @return the bytes from the first element to the end of the last one, gaps included
   */
  public long spanBytes() {
    long last = 0;
    for (int axis = 0; axis < shape.length; axis++) {
      if (shape[axis] == 0) {
        return 0;
      }
      last = Math.addExact(last, Math.multiplyExact(shape[axis] - 1, strides[axis]));
    }
    return Math.multiplyExact(Math.addExact(last, 1), (long) width());
  }

  private int width() {
    return dtype.bits() / Byte.SIZE;
  }

  /**
   * Maps consecutive elements, where they lie in a file one after the other.
   *
   * @param firstElement the index of the first element in row-major order
   * @param count the number of elements, of at most 2 GiB
   * @return a read-only, direct, little-endian view of the file; empty where the elements are
   *     scattered, big-endian, or not in a file on disk
   * @throws IOException if the file cannot be mapped
   */
  public Optional<ByteBuffer> map(long firstElement, long count) throws IOException {
    Objects.checkFromIndexSize(firstElement, count, elementCount());
    if (!isContiguous() || !(source instanceof FileBytes file)) {
      return Optional.empty();
    }
    return Optional.of(file.map(position + firstElement * width(), count * width()));
  }

  /**
   * Copies consecutive elements in little-endian order into a buffer, until the buffer is full.
   *
   * @param firstElement the index of the first element in row-major order
   * @param target where to put the elements, from its position to its limit
   * @throws IOException if the bytes cannot be read
   */
  public void read(long firstElement, ByteBuffer target) throws IOException {
    int width = width();
    int count = target.remaining() / width;
    Objects.checkFromIndexSize(firstElement, (long) count, elementCount());
    int begin = target.position();
    if (isContiguous()) {
      source.readFully(position + firstElement * width, target);
    } else {
      readRuns(firstElement, count, target);
      if (order == ByteOrder.BIG_ENDIAN) {
        swap(target, begin, width);
      }
    }
  }

  /** Reads along the last dimension as far as it goes, then takes the next step of the others. */
  private void readRuns(long firstElement, int count, ByteBuffer target) throws IOException {
    int end = target.limit();
    int width = width();
    int last = shape.length - 1;
    long length = last < 0 ? 1 : shape[last];
    long stride = last < 0 ? 1 : strides[last];
    for (int done = 0; done < count; ) {
      long element = firstElement + done;
      int run = (int) Math.min(count - done, length - element % length);
      long at = position + offset(element) * width;
      if (stride == 1) {
        source.readFully(at, target.limit(target.position() + run * width));
        target.limit(end);
      } else {
        source.gather(at, stride * width, width, run, target);
      }
      done += run;
    }
  }

  /** The place of an element, in elements from the first one on. */
  private long offset(long element) {
    long rest = element;
    long offset = 0;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      offset += rest % shape[axis] * strides[axis];
      rest /= shape[axis];
    }
    return offset;
  }

  private static void swap(ByteBuffer target, int begin, int width) {
    for (int at = begin; at < target.position(); at += width) {
      for (int low = 0, high = width - 1; low < high; low++, high--) {
        byte kept = target.get(at + low);
        target.put(at + low, target.get(at + high));
        target.put(at + high, kept);
      }
    }
  }

  /**
   * Reads consecutive elements as floats.
   *
   * @param firstElement the index of the first element in row-major order
   * @param target where to put the elements
   * @param offset the index in {@code target} of the first element
   * @param count the number of elements
   * @throws IOException if the bytes cannot be read
   * @throws IllegalArgumentException if a float does not hold the dtype exactly
   */
  public void readFloats(long firstElement, float[] target, int offset, int count)
      throws IOException {
    require(Widening.fitsFloat(dtype), "float");
    Objects.checkFromIndexSize(offset, count, target.length);
    readChunks(
        firstElement,
        count,
        (bytes, done, n) -> Widening.floats(dtype, bytes, target, offset + done, n));
  }

  /**
   * Reads consecutive elements as doubles.
   *
   * @param firstElement the index of the first element in row-major order
   * @param target where to put the elements
   * @param offset the index in {@code target} of the first element
   * @param count the number of elements
   * @throws IOException if the bytes cannot be read
   * @throws IllegalArgumentException if a double does not hold the dtype exactly
   */
  public void readDoubles(long firstElement, double[] target, int offset, int count)
      throws IOException {
    require(Widening.fitsDouble(dtype), "double");
    Objects.checkFromIndexSize(offset, count, target.length);
    readChunks(
        firstElement,
        count,
        (bytes, done, n) -> Widening.doubles(dtype, bytes, target, offset + done, n));
  }

  /**
   * Reads all elements as integers.
   *
   * @return a new array in row-major order
   * @throws IOException if the bytes cannot be read
   * @throws IllegalArgumentException if the dtype is no integer, or there are too many elements
   */
  public long[] readLongs() throws IOException {
    require(Widening.fitsLong(dtype), "long");
    if (elementCount() > CHUNK_BYTES) {
      throw new IllegalArgumentException(this + ": has more elements than are read as integers");
    }
    long[] target = new long[(int) elementCount()];
    readChunks(0, target.length, (bytes, done, n) -> Widening.longs(dtype, bytes, target, done, n));
    return target;
  }

  /** Takes elements {@code done} to {@code done + count}, which are all of the buffer. */
  @FunctionalInterface
  private interface Sink {
    void accept(ByteBuffer bytes, int done, int count);
  }

  private void readChunks(long firstElement, int count, Sink sink) throws IOException {
    ByteBuffer chunk = CHUNK.get();
    for (int done = 0; done < count; ) {
      int n = Math.min(CHUNK_BYTES / width(), count - done);
      chunk.clear().limit(n * width());
      read(firstElement + done, chunk);
      sink.accept(chunk.flip(), done, n);
      done += n;
    }
  }

  private void require(boolean fits, String type) {
    if (!fits) {
      throw new IllegalArgumentException(this + ": a " + type + " does not hold its dtype exactly");
    }
  }

  private static long[] reversed(long[] values) {
    long[] reversed = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      reversed[i] = values[values.length - 1 - i];
    }
    return reversed;
  }

  @Override
  public String toString() {
    return "tensor " + name + " " + dtype + Arrays.toString(shape);
  }
}
