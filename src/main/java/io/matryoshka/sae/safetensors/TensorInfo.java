package io.matryoshka.sae.safetensors;

import java.util.Arrays;
import java.util.Objects;

/**
 * What a header says about one tensor: its name, element type, shape and place in the body.
 *
 * <p>Elements lie in row-major order, little-endian. Names are arbitrary strings, and may be empty
 * or look like a path; never use one as a path.
 *
 * <p>The format's dimensions are unsigned. One of 2<sup>63</sup> or more can occur only in a tensor
 * without elements; it reads as a negative {@code long}.
 *
 * @param name the tensor's name
 * @param dtype the element type
 * @param shape the dimensions, empty for a scalar; copied on the way in and out
 * @param begin the first byte, counted from the start of the body
 * @param end the byte after the last, counted from the start of the body
 */
public record TensorInfo(String name, Dtype dtype, long[] shape, long begin, long end) {

  /**
   * Checks that shape, element type and place agree.
   *
   * @param name the tensor's name
   * @param dtype the element type
   * @param shape the dimensions, copied
   * @param begin the first byte, counted from the start of the body
   * @param end the byte after the last
   * @throws IllegalArgumentException if the offsets are negative or out of order, or span another
   *     number of bytes than the shape and element type need
   */
  public TensorInfo {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(dtype, "dtype");
    shape = shape.clone();
    if (begin < 0 || end < begin) {
      throw new IllegalArgumentException(
          "tensor \"%s\": offsets must satisfy 0 <= begin <= end, got %s, %s"
              .formatted(name, begin, end));
    }
    long needed;
    try {
      needed = Sizes.byteCount(dtype, shape);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("tensor \"%s\": %s".formatted(name, e.getMessage()), e);
    }
    if (needed != end - begin) {
      throw new IllegalArgumentException(
          String.format(
              "tensor \"%s\": shape %s of %s takes %d bytes, but its offsets [%d, %d] span %d",
              name, Sizes.format(shape), dtype, needed, begin, end, end - begin));
    }
  }

  /**
   * Returns a copy of the dimensions.
   *
   * @return the dimensions, outermost first; empty for a scalar
   */
  @Override
  public long[] shape() {
    return shape.clone();
  }

  /**
   * Returns the number of dimensions.
   *
   * @return the rank, 0 for a scalar
   */
  public int rank() {
    return shape.length;
  }

  /**
   * Returns the number of elements.
   *
   * @return the product of the dimensions, 1 for a scalar
   */
  public long elementCount() {
    return Sizes.elementCount(shape);
  }

  /**
   * Returns the size of the tensor in bytes.
   *
   * @return {@code end - begin}
   */
  public long byteCount() {
    return end - begin;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TensorInfo that
        && name.equals(that.name)
        && dtype == that.dtype
        && Arrays.equals(shape, that.shape)
        && begin == that.begin
        && end == that.end;
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, dtype, Arrays.hashCode(shape), begin, end);
  }

  @Override
  public String toString() {
    return "\"" + name + "\" " + dtype + Sizes.format(shape) + " at [" + begin + ", " + end + "]";
  }
}
