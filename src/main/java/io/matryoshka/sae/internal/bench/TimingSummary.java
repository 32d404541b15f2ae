package io.matryoshka.sae.internal.bench;

import java.util.Arrays;

/**
 * What several rounds of a measurement gave.
 *
 * @param median the middle value; NaN if nothing was measured
 * @param low the smallest value
 * @param high the largest value
 */
public record TimingSummary(double median, double low, double high) {

  /** Of what was not measured. */
  public static final TimingSummary NONE = new TimingSummary(Double.NaN, Double.NaN, Double.NaN);

  /** Sums up values of rounds; none give {@link #NONE}. */
  static TimingSummary of(double... values) {
    if (values.length == 0) {
      return NONE;
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int last = sorted.length - 1;
    double median = (sorted[last / 2] + sorted[sorted.length / 2]) / 2;
    return new TimingSummary(median, sorted[0], sorted[last]);
  }

  /**
   * Tells whether there was a measurement.
   *
   * @return false for {@link #NONE}
   */
  public boolean isMeasured() {
    return !Double.isNaN(median);
  }
}
