package io.matryoshka.sae;

/**
 * A BatchTopK SAE, Matryoshka or not, as it runs after training: JumpReLU, {@code f = relu(z) * (z
 * > threshold)}. Other selections, per token or over the batch, are available per call.
 *
 * <p>Published Matryoshka SAEs are of this class, whether their {@code cfg.json} says {@code
 * batchtopk}, {@code matryoshka_batchtopk} or, as SAELens saves them, {@code jumprelu}.
 *
 * @see <a href="https://arxiv.org/abs/2503.17547">Learning Multi-Level Features with Matryoshka
 *     Sparse Autoencoders</a>
 */
public final class BatchTopKSae extends SAE {

  BatchTopKSae(Parts parts) {
    super(parts);
  }

  @Override
  SAE view(Parts parts) {
    return new BatchTopKSae(parts);
  }
}
