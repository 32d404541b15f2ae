package io.matryoshka.sae;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import java.util.OptionalInt;

/**
 * How pre-activations {@code z} become active latents.
 *
 * @see <a href="https://arxiv.org/abs/2412.06410">BatchTopK Sparse Autoencoders</a>
 */
public final class Selection {

  private static final Selection THRESHOLD = new Selection(SelectionRule.THRESHOLD);

  private final SelectionRule rule;

  private Selection(SelectionRule rule) {
    this.rule = rule;
  }

  /**
   * Returns the rule of inference, JumpReLU: {@code f = relu(z) * (z > threshold)}, strict, so a
   * negative threshold passes no negative value. An SAE without thresholds uses 0, which is ReLU.
   *
   * @return the threshold rule
   */
  public static Selection threshold() {
    return THRESHOLD;
  }

  /**
   * Returns the rule that keeps the {@code k} largest pre-activations of each token, then applies
   * ReLU, so at most {@code k} latents are active. Of equal values the lower latent wins.
   *
   * @param k latents kept per token, at least 1; more than the width keeps all
   * @return the per-token rule
   * @throws IllegalArgumentException if {@code k < 1}
   */
  public static Selection topK(int k) {
    return new Selection(SelectionRule.topK(positive(k)));
  }

  /**
   * Returns the rule of BatchTopK training: ReLU, then the {@code k * n} largest activations over
   * all {@code n} tokens of the call. Of equal values the lower flat index (token, then latent)
   * wins. The result of a token depends on the others of its batch.
   *
   * @param k latents kept per token on average, at least 1
   * @return the batch rule
   * @throws IllegalArgumentException if {@code k < 1}
   */
  public static Selection batchTopK(int k) {
    return new Selection(SelectionRule.batchTopK(positive(k)));
  }

  /** The rule that an SAE was trained for. */
  static Selection of(SaeConfig config) {
    OptionalInt k = config.architecture().latentsPerToken(config);
    return k.isPresent() ? topK(k.getAsInt()) : threshold();
  }

  /**
   * Tells whether the latents of a token depend on the other tokens of the call.
   *
   * @return true for {@link #batchTopK}
   */
  public boolean dependsOnBatch() {
    return rule.kind() == SelectionRule.Kind.BATCH_TOP_K;
  }

  SelectionRule rule() {
    return rule;
  }

  private static int positive(int k) {
    if (k < 1) {
      throw new IllegalArgumentException("k must be at least 1, got " + k);
    }
    return k;
  }

  @Override
  public String toString() {
    return switch (rule.kind()) {
      case THRESHOLD -> "threshold";
      case TOP_K -> "topK(" + rule.k() + ")";
      case BATCH_TOP_K -> "batchTopK(" + rule.k() + ")";
    };
  }
}
