package io.matryoshka.sae.explore;

import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.LatentStatistics;
import java.util.BitSet;

/**
 * Counts how often and how strongly each latent fires. Takes 20 bytes a latent. Not safe for use by
 * several threads.
 */
public final class FiringCounter implements LatentPass.Collector {

  private final long[] firings;
  private final double[] sums;
  private final float[] largest;
  private long rows;

  /**
   * Starts at zero.
   *
   * @param dSae number of latents
   */
  public FiringCounter(int dSae) {
    firings = new long[dSae];
    sums = new double[dSae];
    largest = new float[dSae];
  }

  @Override
  public void add(long firstRow, float[] x, SparseLatents latents, BitSet leftOut) {
    rows += latents.rows() - leftOut.cardinality();
    for (int row = 0; row < latents.rows(); row++) {
      latents.forEach(
          row,
          (latent, activation) -> {
            firings[latent]++;
            sums[latent] += activation;
            largest[latent] = Math.max(largest[latent], activation);
          });
    }
  }

  /**
   * Returns the counts so far.
   *
   * @return a copy
   */
  public LatentStatistics statistics() {
    return LatentStatistics.of(rows, firings, sums, largest);
  }
}
