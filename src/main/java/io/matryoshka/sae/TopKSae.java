package io.matryoshka.sae;

import java.util.List;
import java.util.Optional;

/**
 * An SAE that keeps the {@code k} largest pre-activations of each token, then applies ReLU. With
 * {@code rescale_acts_by_decoder_norm} the latents are multiplied by the norms of their decoder
 * rows before the choice.
 */
public final class TopKSae extends SAE {

  TopKSae(SaeWeights weights, int width, List<Integer> widths, Optional<float[]> logSparsity) {
    super(weights, width, widths, logSparsity);
  }

  private TopKSae(
      SaeWeights weights,
      int width,
      List<Integer> widths,
      Optional<float[]> logSparsity,
      boolean view) {
    super(weights, width, widths, logSparsity, view);
  }

  @Override
  public Selection defaultSelection() {
    return Selection.topK(config().k().orElseThrow());
  }

  @Override
  SAE view(
      SaeWeights shared, int prefixWidth, List<Integer> widths, Optional<float[]> logSparsity) {
    return new TopKSae(shared, prefixWidth, widths, logSparsity, true);
  }
}
