package io.matryoshka.sae;

import java.util.List;
import java.util.Optional;

/**
 * A BatchTopK SAE, Matryoshka or not, as it runs after training: JumpReLU, {@code f = relu(z) * (z
 * > threshold)}. Other selections, per token or over the batch, are available per call.
 *
 * @see <a href="https://arxiv.org/abs/2503.17547">Learning Multi-Level Features with Matryoshka
 *     Sparse Autoencoders</a>
 */
public final class BatchTopKSae extends SAE {

  BatchTopKSae(SaeWeights weights, int width, List<Integer> widths, Optional<float[]> logSparsity) {
    super(weights, width, widths, logSparsity);
  }

  private BatchTopKSae(
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
    return new BatchTopKSae(shared, prefixWidth, widths, logSparsity, true);
  }
}
