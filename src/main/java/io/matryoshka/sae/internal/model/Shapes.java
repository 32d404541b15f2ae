package io.matryoshka.sae.internal.model;

import ai.djl.ndarray.types.Shape;
import java.util.Arrays;

/** Arithmetic of array shapes. */
public final class Shapes {

  private Shapes() {}

  /** Number of elements; 1 of an empty shape. */
  public static long count(long[] shape) {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  /** The dimensions of both, one after the other. */
  public static Shape join(long[] leading, long... tail) {
    long[] shape = Arrays.copyOf(leading, leading.length + tail.length);
    System.arraycopy(tail, 0, shape, leading.length, tail.length);
    return new Shape(shape);
  }

  /**
   * The shape of decoded rows.
   *
   * @param leading shape of the input without its last dimensions
   * @param tail shape of one row of the input, empty where it is not known
   * @param dIn the width of a row whose shape is not known
   */
  public static Shape decoded(long[] leading, long[] tail, long dIn) {
    return tail.length == 0 ? join(leading, dIn) : join(leading, tail);
  }
}
