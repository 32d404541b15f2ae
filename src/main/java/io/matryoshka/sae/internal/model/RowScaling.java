package io.matryoshka.sae.internal.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;

/**
 * What normalisation took from each token and decoding puts back: {@code x = y * scale + mean}.
 *
 * @param scale {@code [n]} factor of each row
 * @param mean {@code [n]} mean of each row, zeros where nothing was centred
 */
public record RowScaling(float[] scale, float[] mean) {

  /** Of rows that are not normalised one by one. */
  public static final RowScaling NONE = new RowScaling(new float[0], new float[0]);

  /** Tells whether there is nothing to put back. */
  public boolean isNone() {
    return this == NONE;
  }

  /** The numbers of some consecutive rows. */
  public RowScaling slice(int begin, int end) {
    return isNone()
        ? NONE
        : new RowScaling(
            Arrays.copyOfRange(scale, begin, end), Arrays.copyOfRange(mean, begin, end));
  }

  /** The numbers as arrays of a type, owned by a manager. */
  public ArrayScaling toArrays(DataType type, NDManager owner) {
    if (isNone()) {
      return ArrayScaling.NONE;
    }
    Shape column = new Shape(scale.length, 1);
    NDArray scales = owner.create(scale, column).toType(type, false);
    return ArrayScaling.of(scales, owner.create(mean, column).toType(type, false));
  }
}
