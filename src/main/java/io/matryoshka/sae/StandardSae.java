package io.matryoshka.sae;

import java.util.List;
import java.util.Optional;

/** An SAE with ReLU: {@code f = relu(z)}. */
public final class StandardSae extends SAE {

  StandardSae(SaeWeights weights, int width, List<Integer> widths, Optional<float[]> logSparsity) {
    super(weights, width, widths, logSparsity);
  }

  private StandardSae(
      SaeWeights weights,
      int width,
      List<Integer> widths,
      Optional<float[]> logSparsity,
      boolean view) {
    super(weights, width, widths, logSparsity, view);
  }

  @Override
  public Selection defaultSelection() {
    return Selection.threshold();
  }

  @Override
  SAE view(
      SaeWeights shared, int prefixWidth, List<Integer> widths, Optional<float[]> logSparsity) {
    return new StandardSae(shared, prefixWidth, widths, logSparsity, true);
  }
}
