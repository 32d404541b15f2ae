package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;

/** A function of activations that gives what shall stand in their place. */
@FunctionalInterface
public interface RowEdit {

  /**
   * Gives the new rows.
   *
   * @param rows {@code [n, width]} float32, a copy: one row for each token that is to be changed.
   *     Temporaries of its manager end with the layer
   * @return {@code [n, width]} float32
   */
  NDArray apply(NDArray rows);
}
