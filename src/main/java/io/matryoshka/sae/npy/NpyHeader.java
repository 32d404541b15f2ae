package io.matryoshka.sae.npy;

import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * What the header of a file says.
 *
 * @param descr the element type as NumPy writes it, such as {@code <f4}
 * @param type the element type
 * @param order the byte order
 * @param shape the dimensions, empty for a scalar
 * @param fortranOrder true if the first index runs fastest, which matters from two dimensions on
 * @param dataOffset the position of the first element in the file
 */
record NpyHeader(
    String descr,
    NpyType type,
    ByteOrder order,
    long[] shape,
    boolean fortranOrder,
    long dataOffset) {

  /** Returns the same array with its two-byte elements read as a floating type. */
  NpyHeader as(NpyType other) {
    return new NpyHeader(descr, other, order, shape, fortranOrder, dataOffset);
  }

  /** Returns the number of elements; throws {@link ArithmeticException} beyond 2^63 - 1. */
  long elementCount() {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  /** Returns the size of all elements in bytes; throws {@link ArithmeticException} likewise. */
  long dataBytes() {
    return Math.multiplyExact(elementCount(), (long) type.bytes());
  }
}
