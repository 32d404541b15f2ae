package io.matryoshka.sae.lm;

/**
 * The losses of one text in one run of the model.
 *
 * @param crossEntropy {@code [n - 1]}: at position i, minus the log probability of token i + 1, in
 *     nats; lower is better
 * @param kl {@code [n]}: at position i, KL(original run || this run) of the prediction of the next
 *     token, in nats, at least 0 up to rounding; 0 for the original run
 */
public record TokenLosses(double[] crossEntropy, double[] kl) {

  /**
   * Copies the arrays.
   *
   * @param crossEntropy for each token but the last
   * @param kl for each token
   */
  public TokenLosses {
    crossEntropy = crossEntropy.clone();
    kl = kl.clone();
  }

  /**
   * Returns the cross-entropy.
   *
   * @return a copy, {@code [n - 1]}
   */
  @Override
  public double[] crossEntropy() {
    return crossEntropy.clone();
  }

  /**
   * Returns the divergence from the original run.
   *
   * @return a copy, {@code [n]}
   */
  @Override
  public double[] kl() {
    return kl.clone();
  }
}
