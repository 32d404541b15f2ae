package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What a pass does on its way: interventions replace activations, then the trace keeps them. One
 * object serves one pass.
 */
final class Hooks {

  private final TokenBatch batch;
  private final Set<HookPoint> wanted;
  private final List<Intervention> interventions;
  private final NDManager owner;
  private final Map<HookPoint, NDArray> kept = new LinkedHashMap<>();

  /**
   * Prepares for a pass.
   *
   * @param wanted what to keep
   * @param owner gets what is kept
   */
  Hooks(
      TokenBatch batch, Set<HookPoint> wanted, List<Intervention> interventions, NDManager owner) {
    this.batch = batch;
    this.wanted = wanted;
    this.interventions = interventions;
    this.owner = owner;
  }

  /** The last layer that must run. */
  int lastLayer(int layers) {
    int last = -1;
    for (HookPoint point : wanted) {
      boolean first = point.layer() == 0 && point.site() == Site.RESID_PRE;
      last = Math.max(last, point.site().isInLayer() ? (first ? -1 : point.layer()) : layers - 1);
    }
    return last;
  }

  /** Whether something is to be done inside the layer, so that it must run step by step. */
  boolean isInside(int layer) {
    return isAnywhere(point -> point.layer() == layer && point.site().isInterior());
  }

  /** Whether something is to be done inside the layer, before it or after it. */
  boolean isAt(int layer) {
    return isAnywhere(point -> point.layer() == layer && point.site().isInLayer());
  }

  private boolean isAnywhere(Predicate<HookPoint> place) {
    return wanted.stream().anyMatch(place)
        || interventions.stream().map(Intervention::hookPoint).anyMatch(place);
  }

  /** Whether something after the last layer is wanted. */
  boolean wantsBeyondLayers() {
    return wanted.stream().anyMatch(point -> !point.site().isInLayer());
  }

  boolean wants(HookPoint point) {
    return wanted.contains(point);
  }

  /**
   * Passes a value through the interventions at a place and keeps the result if it is wanted.
   *
   * @param x {@code [batch, length, width]}
   * @return the value to go on with
   */
  NDArray at(HookPoint point, NDArray x, NDManager scope) {
    NDArray value = x;
    for (Intervention intervention : interventions) {
      if (intervention.hookPoint().equals(point)) {
        value = changed(intervention, value, scope);
      }
    }
    if (wanted.contains(point)) {
      keep(point, tokenRows(value, owner));
    }
    return value;
  }

  /** Keeps rows that are wanted, {@code [tokens, width]}. */
  void keep(HookPoint point, NDArray rows) {
    rows.attach(owner);
    kept.put(point, rows);
  }

  private NDArray changed(Intervention intervention, NDArray x, NDManager scope) {
    long[] chosen = batch.select(intervention::worksAt);
    if (chosen.length == 0) {
      return x;
    }
    ModelKernels kernels = ModelKernels.arrays();
    NDArray indices = scope.create(chosen);
    NDArray rows = kernels.call(scope, "rows", x, indices);
    return kernels.call(scope, "with_rows", x, indices, intervention.newRows(rows));
  }

  /** The rows of all tokens without the padding, {@code [tokens, width]}, text after text. */
  NDArray tokenRows(NDArray x, NDManager scope) {
    long[] real = batch.tokenRows();
    if (real.length == 0) {
      return x.reshape(-1, x.getShape().get(2));
    }
    try (NDArray indices = scope.create(real)) {
      return ModelKernels.arrays().call(scope, "rows", x, indices);
    }
  }

  /** What was kept, {@code [tokens, width]} each. */
  Map<HookPoint, NDArray> kept() {
    return kept;
  }
}
