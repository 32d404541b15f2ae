package io.matryoshka.sae.internal.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.torch.HostCopy;
import java.util.Optional;

/**
 * {@link RowScaling} on the device of the rows.
 *
 * @param scale {@code [n, 1]} factor of each row; empty where rows are not normalised one by one
 * @param mean {@code [n, 1]} mean of each row; empty where nothing was centred
 */
public record ArrayScaling(Optional<NDArray> scale, Optional<NDArray> mean) {

  /** Of rows that are not normalised one by one. */
  public static final ArrayScaling NONE = new ArrayScaling(Optional.empty(), Optional.empty());

  static ArrayScaling of(NDArray scale) {
    return new ArrayScaling(Optional.of(scale), Optional.empty());
  }

  static ArrayScaling of(NDArray scale, NDArray mean) {
    return new ArrayScaling(Optional.of(scale), Optional.of(mean));
  }

  /** Copies the numbers of all rows into Java memory. */
  public RowScaling toHost() {
    if (scale.isEmpty()) {
      return RowScaling.NONE;
    }
    float[] scales = HostCopy.floats(scale.get());
    return new RowScaling(scales, mean.map(HostCopy::floats).orElse(new float[scales.length]));
  }

  /** The arrays that there are. */
  public NDList arrays() {
    NDList arrays = new NDList();
    scale.ifPresent(arrays::add);
    mean.ifPresent(arrays::add);
    return arrays;
  }

  /** Hands the arrays to a manager, which closes them. */
  public void attach(NDManager owner) {
    arrays().attach(owner);
  }
}
