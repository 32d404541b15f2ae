package io.matryoshka.sae.safetensors;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Size arithmetic of the format: unsigned 64-bit, checked at every step, left to right. */
final class Sizes {

  private Sizes() {}

  /**
   * Returns the number of elements of a shape.
   *
   * @throws ArithmeticException if the product leaves 64 bits before all dimensions are multiplied
   */
  static long elementCount(long[] shape) {
    long count = 1;
    for (long dimension : shape) {
      count = multiplyUnsigned(count, dimension, shape);
    }
    return count;
  }

  /**
   * Returns the number of bytes of a tensor; at most 2<sup>61</sup>, so never negative.
   *
   * @throws ArithmeticException if the size in bits leaves 64 bits or is no whole number of bytes
   */
  static long byteCount(Dtype dtype, long[] shape) {
    long bits = multiplyUnsigned(elementCount(shape), dtype.bits(), shape);
    if (bits % Byte.SIZE != 0) {
      throw new ArithmeticException(
          "shape %s of %s takes %s bits, which is not a whole number of bytes"
              .formatted(format(shape), dtype, Long.toUnsignedString(bits)));
    }
    return bits >>> 3;
  }

  /** Formats a shape with its dimensions read as unsigned. */
  static String format(long[] shape) {
    return Arrays.stream(shape)
        .mapToObj(Long::toUnsignedString)
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private static long multiplyUnsigned(long left, long right, long[] shape) {
    if (left != 0 && Long.compareUnsigned(right, Long.divideUnsigned(-1L, left)) > 0) {
      throw new ArithmeticException("size of shape " + format(shape) + " overflows 64 bits");
    }
    return left * right;
  }
}
