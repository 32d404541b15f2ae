package io.matryoshka.sae.internal.kernel.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.function.Function;

/**
 * Copies arrays of any device into Java memory. DJL 0.36 makes an array on the CPU first, which it
 * leaves to the manager of the array; here it is closed immediately.
 */
public final class HostCopy {

  private HostCopy() {}

  /**
   * Copies numbers.
   *
   * @param array of any shape and floating type that DJL knows
   * @return the numbers as float32, row-major
   */
  public static float[] floats(NDArray array) {
    return read(array, view -> view.toType(DataType.FLOAT32, false).toFloatArray());
  }

  public static int[] ints(NDArray array) {
    return read(array, view -> view.toType(DataType.INT32, false).toIntArray());
  }

  static boolean truth(NDArray array) {
    return read(array, view -> view.toBooleanArray()[0]);
  }

  private static <T> T read(NDArray array, Function<NDArray, T> copy) {
    try (NDManager scope = array.getManager().newSubManager()) {
      NDArray view = array.reshape(array.getShape());
      view.attach(scope);
      return copy.apply(view);
    }
  }
}
