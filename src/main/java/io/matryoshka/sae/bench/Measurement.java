package io.matryoshka.sae.bench;

/**
 * One operation at one size, with both engines, measured in turns.
 *
 * @param operation what was done
 * @param dIn the width of a model activation
 * @param width number of latents
 * @param tokens tokens of a call
 * @param fastSeconds median seconds of a call with the fast engine
 * @param denseSeconds median seconds of a call with dense products in libtorch; NaN if not measured
 * @param ratio median over the rounds of dense seconds divided by fast seconds; NaN if not measured
 * @param candidateShare share of the pre-activations that screening could not rule out; NaN where
 *     nothing was screened
 */
public record Measurement(
    Operation operation,
    int dIn,
    int width,
    int tokens,
    double fastSeconds,
    double denseSeconds,
    double ratio,
    double candidateShare) {

  /**
   * Returns the throughput of the fast engine.
   *
   * @return tokens per second
   */
  public double tokensPerSecond() {
    return tokens / fastSeconds;
  }

  /**
   * Returns the rate at which dense products would have to run to be as fast.
   *
   * @return 10^9 floating-point operations per second
   */
  public double gigaflopEquivalent() {
    return operation.denseFlops(tokens, dIn, width) / fastSeconds / 1e9;
  }
}
