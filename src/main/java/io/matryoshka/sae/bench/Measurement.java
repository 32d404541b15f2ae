package io.matryoshka.sae.bench;

/**
 * One operation at one size, with both engines, measured in turns.
 *
 * @param operation what was done
 * @param dIn the width of a model activation
 * @param width number of latents
 * @param tokens tokens of a call
 * @param rounds turns of each engine
 * @param fastSeconds seconds of a call with the fast engine, by round
 * @param denseSeconds seconds of a call with dense products in libtorch, by round
 * @param ratio dense seconds divided by fast seconds, by round
 * @param candidateShare share of the pre-activations that screening could not rule out; NaN where
 *     nothing was screened
 */
public record Measurement(
    Operation operation,
    int dIn,
    int width,
    int tokens,
    int rounds,
    Spread fastSeconds,
    Spread denseSeconds,
    Spread ratio,
    double candidateShare) {

  /**
   * Returns the throughput of the fast engine, or of the dense products where there is none.
   *
   * @return tokens per second
   */
  public double tokensPerSecond() {
    return tokens / seconds();
  }

  /**
   * Returns the rate at which dense products would have to run to be as fast.
   *
   * @return 10^9 floating-point operations per second
   */
  public double gigaflopEquivalent() {
    return operation.denseFlops(tokens, dIn, width) / seconds() / 1e9;
  }

  private double seconds() {
    return (fastSeconds.isMeasured() ? fastSeconds : denseSeconds).median();
  }
}
