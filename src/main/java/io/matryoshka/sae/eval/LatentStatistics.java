package io.matryoshka.sae.eval;

import java.util.Arrays;

/**
 * How often and how strongly each latent fired on the counted rows. Immutable.
 *
 * <p>Every method that takes a latent throws {@link IndexOutOfBoundsException} if it is not in 0 to
 * {@link #size()} - 1.
 */
public final class LatentStatistics {

  /** SAELens adds this to a frequency before it takes the logarithm ({@code sae_trainer.py:33}). */
  private static final double LOG_FLOOR = 1e-10;

  private final long rows;
  private final long[] firings;
  private final double[] sums;
  private final float[] largest;

  LatentStatistics(long rows, LatentTotals totals) {
    this.rows = rows;
    firings = totals.firings.clone();
    sums = totals.sums.clone();
    largest = totals.largest.clone();
  }

  /**
   * Makes statistics from counts, which are copied.
   *
   * @param rows number of rows counted
   * @param firings {@code [d_sae]} rows where the latent is active
   * @param sums {@code [d_sae]} sum of the activations
   * @param largest {@code [d_sae]} largest activation, 0 if never active
   * @return the statistics
   * @throws IllegalArgumentException if the arrays differ in length
   */
  public static LatentStatistics of(long rows, long[] firings, double[] sums, float[] largest) {
    if (sums.length != firings.length || largest.length != firings.length) {
      throw new IllegalArgumentException(
          ("latent statistics: expected one count, sum and largest activation for"
                  + " each latent, got %s, %s and %s")
              .formatted(firings.length, sums.length, largest.length));
    }
    return new LatentStatistics(rows, new LatentTotals(firings, sums, largest));
  }

  /**
   * Returns the number of latents.
   *
   * @return {@code d_sae}
   */
  public int size() {
    return firings.length;
  }

  /**
   * Returns the number of rows that the counts refer to.
   *
   * @return counted rows
   */
  public long rows() {
    return rows;
  }

  /**
   * Returns the number of rows where a latent is active.
   *
   * @param latent index of the latent
   * @return 0 to {@link #rows()}
   */
  public long firings(int latent) {
    return firings[latent];
  }

  /**
   * Returns the share of rows where a latent is active, "feature_density" of SAELens.
   *
   * @param latent index of the latent
   * @return 0 to 1; NaN for no rows
   */
  public double density(int latent) {
    return (double) firings[latent] / rows;
  }

  /**
   * Returns the density on the scale of {@code sparsity.safetensors}.
   *
   * @param latent index of the latent
   * @return {@code log10(density + 1e-10)}: 0 always fires, -10 never; NaN for no rows
   */
  public double logSparsity(int latent) {
    return Math.log10(density(latent) + LOG_FLOOR);
  }

  /**
   * Returns the mean activation over the rows where a latent is active.
   *
   * @param latent index of the latent
   * @return above 0; NaN if it is never active
   */
  public double meanActivation(int latent) {
    return sums[latent] / firings[latent];
  }

  /**
   * Returns the largest activation of a latent.
   *
   * @param latent index of the latent
   * @return at least 0; 0 if it is never active
   */
  public float maxActivation(int latent) {
    return largest[latent];
  }

  /**
   * Returns the sum of the activations of a latent.
   *
   * @param latent index of the latent
   * @return at least 0; 0 if it is never active
   */
  public double activationSum(int latent) {
    return sums[latent];
  }

  /**
   * Joins the counts of other rows.
   *
   * @param other statistics of the same latents on other rows
   * @return statistics of the rows of both
   * @throws IllegalArgumentException if the numbers of latents differ
   */
  public LatentStatistics merge(LatentStatistics other) {
    if (other.size() != size()) {
      throw new IllegalArgumentException(
          "merge: expected statistics of %d latents, got those of %d"
              .formatted(size(), other.size()));
    }
    LatentTotals both = new LatentTotals(size());
    both.add(this);
    both.add(other);
    return both.statistics(rows + other.rows);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LatentStatistics that
        && rows == that.rows
        && Arrays.equals(firings, that.firings)
        && Arrays.equals(sums, that.sums)
        && Arrays.equals(largest, that.largest);
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(rows) + Arrays.hashCode(firings);
  }

  @Override
  public String toString() {
    return "LatentStatistics[size=" + size() + ", rows=" + rows + "]";
  }
}
