package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Map;
import java.util.Set;

/** Activations of one or several texts at hook points. They live until this object is closed. */
public final class Trace implements AutoCloseable {

  private final NDManager manager;
  private final Map<HookPoint, NDArray> activations;
  private final int[] rowOffsets;

  Trace(NDManager manager, Map<HookPoint, NDArray> activations, int[] rowOffsets) {
    this.manager = manager;
    this.activations = activations;
    this.rowOffsets = rowOffsets;
  }

  /**
   * Returns the activations at a hook point.
   *
   * @param hookPoint one of those that the trace was asked for
   * @return {@code [tokens, width]} float32 on the CPU: one row for each token, text after text,
   *     without padding. Belongs to this trace
   * @throws IllegalArgumentException if the trace was not asked for it
   */
  public NDArray at(HookPoint hookPoint) {
    NDArray found = activations.get(hookPoint);
    if (found == null) {
      throw new IllegalArgumentException(
          "the trace holds " + activations.keySet() + ", not " + hookPoint);
    }
    return found;
  }

  /**
   * Returns the activations at a hook point.
   *
   * @param hookPoint its name, as {@link HookPoint#parse} reads it
   * @return {@code [tokens, width]} float32
   */
  public NDArray at(String hookPoint) {
    return at(HookPoint.parse(hookPoint));
  }

  /**
   * Returns the hook points.
   *
   * @return those that the trace was asked for
   */
  public Set<HookPoint> hookPoints() {
    return activations.keySet();
  }

  /**
   * Returns where each text begins.
   *
   * @return a copy, {@code [texts + 1]}: the first row of each text, and the number of rows
   */
  public int[] rowOffsets() {
    return rowOffsets.clone();
  }

  @Override
  public void close() {
    manager.close();
  }
}
