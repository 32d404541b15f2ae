package io.matryoshka.sae.eval;

/**
 * Counts how often and how strongly each latent fires. Takes 20 bytes a latent. Not safe for use by
 * several threads.
 */
public final class LatentTotals {

  final long[] firings;
  final double[] sums;
  final float[] largest;

  /**
   * Starts at zero.
   *
   * @param dSae number of latents
   */
  public LatentTotals(int dSae) {
    this(new long[dSae], new double[dSae], new float[dSae]);
  }

  LatentTotals(long[] firings, double[] sums, float[] largest) {
    this.firings = firings;
    this.sums = sums;
    this.largest = largest;
  }

  /**
   * Counts a row where a latent is active.
   *
   * @param latent index of the latent
   * @param activation how strongly
   */
  public void add(int latent, float activation) {
    firings[latent]++;
    sums[latent] += activation;
    largest[latent] = Math.max(largest[latent], activation);
  }

  /**
   * Counts the rows of statistics.
   *
   * @param other statistics of as many latents
   */
  public void add(LatentStatistics other) {
    for (int latent = 0; latent < firings.length; latent++) {
      firings[latent] += other.firings(latent);
      sums[latent] += other.activationSum(latent);
      largest[latent] = Math.max(largest[latent], other.maxActivation(latent));
    }
  }

  void add(LatentTotals other) {
    for (int latent = 0; latent < firings.length; latent++) {
      firings[latent] += other.firings[latent];
      sums[latent] += other.sums[latent];
      largest[latent] = Math.max(largest[latent], other.largest[latent]);
    }
  }

  /**
   * Returns the counts so far.
   *
   * @param rows number of rows counted
   * @return a copy
   */
  public LatentStatistics statistics(long rows) {
    return new LatentStatistics(rows, this);
  }
}
