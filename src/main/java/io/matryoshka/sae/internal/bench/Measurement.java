package io.matryoshka.sae.internal.bench;

import io.matryoshka.sae.internal.kernel.cpu.MachineLimits;

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
    TimingSummary fastSeconds,
    TimingSummary denseSeconds,
    TimingSummary ratio,
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

  /**
   * Tells how close the fast form is to what the machine permits: the time that the int8 product
   * over all latents takes at the measured limits of arithmetic and memory, over the time measured.
   *
   * @param limits of the same run
   * @return from 0 to about 1; NaN for decoding, which has no such product, and where no fast form
   *     was timed
   */
  double shareOfLimit(MachineLimits limits) {
    if (operation == Operation.DECODE) {
      return Double.NaN;
    }
    double codes = (double) dIn * width;
    double arithmetic = 2 * codes * tokens / limits.int8PerSecond();
    double memory = codes / limits.readBytesPerSecond();
    return Math.max(arithmetic, memory) / fastSeconds.median();
  }

  private double seconds() {
    return (fastSeconds.isMeasured() ? fastSeconds : denseSeconds).median();
  }
}
