package io.matryoshka.sae.internal.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Optional;

/**
 * Model activations as an encoder takes them, made by {@link Normalizer#prepare}, where everything
 * is owned by the scope of the call, or {@link Normalizer#inPlace}, where the rows are the
 * caller's.
 *
 * @param leadingShape shape of the input without the dimensions of a row
 * @param tailShape shape of one decoded row: that of the input, {@code [d_in]} or {@code [heads,
 *     d_head]}, but for a transcoder {@code [d_out]}
 * @param rows {@code [n, d_in]} of the type that the SAE computes in, but for the shift
 * @param shift {@code [d_in]} what is still to be subtracted from each row
 * @param scaling what decoding puts back
 */
public record PreparedRows(
    long[] leadingShape,
    long[] tailShape,
    NDArray rows,
    Optional<NDArray> shift,
    ArrayScaling scaling) {

  /** Number of rows. */
  public int count() {
    return Math.toIntExact(rows.getShape().get(0));
  }

  /** The rows less the shift. */
  NDArray shifted(NDManager scope) {
    if (shift.isEmpty()) {
      return rows;
    }
    NDArray shifted = rows.sub(shift.get());
    shifted.attach(scope);
    return shifted;
  }
}
