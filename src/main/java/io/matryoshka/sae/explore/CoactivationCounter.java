package io.matryoshka.sae.explore;

import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.internal.state.StateReader;
import io.matryoshka.sae.internal.state.StateWriter;
import io.matryoshka.sae.stream.StateException;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Counts for every parent and child, latents of different Matryoshka levels, the tokens where both
 * fire. Pairs within a level are not counted. A latent fires where its activation is above 0.
 *
 * <p>Memory: at most 96 bytes for each of the pairs kept at a time, whatever the number of latents
 * and tokens; an SAE of 32768 latents has some 10^8 pairs, of which a stream of text shows a small
 * part. Up to that many different pairs all counts are exact. Beyond, the rarest half is dropped
 * when the table is full; then a count may be too small by {@link Coactivations#missed} at most.
 * Not safe for use by several threads.
 */
public final class CoactivationCounter implements LatentPass.Collector {

  /** Pairs kept by default: up to 256 MiB of memory, where a stream shows as many. */
  public static final int DEFAULT_PAIRS = 1 << 22;

  private final int[] levelOf;
  private final PairCounts pairs;
  private final FiringCounter firings;

  private int[] active = new int[64];
  private int activeCount;

  /**
   * Starts at zero.
   *
   * @param sae gives the levels
   * @param maxPairs pairs kept at a time, at least 2
   * @throws IllegalArgumentException if fewer than 2 pairs may be kept
   */
  public CoactivationCounter(SAE sae, int maxPairs) {
    this(Levels.of(sae), maxPairs);
  }

  CoactivationCounter(Levels levels, int maxPairs) {
    if (maxPairs < 2) {
      throw new IllegalArgumentException(
          "coactivation: expected at least 2 pairs to keep, got " + maxPairs);
    }
    levelOf = levels.byLatent();
    pairs = new PairCounts(maxPairs);
    firings = new FiringCounter(levelOf.length);
  }

  @Override
  public void add(long firstRow, float[] x, SparseLatents latents, BitSet leftOut) {
    firings.add(firstRow, x, latents, leftOut);
    for (int row = 0; row < latents.rows(); row++) {
      collect(latents, row);
      for (int child = 1; child < activeCount; child++) {
        int level = levelOf[active[child]];
        for (int parent = 0; parent < child && levelOf[active[parent]] < level; parent++) {
          pairs.increment(active[parent], active[child]);
        }
      }
    }
  }

  /** Puts the latents that fire on a row into {@link #active}, rising. */
  private void collect(SparseLatents latents, int row) {
    activeCount = 0;
    if (active.length < latents.activeCount(row)) {
      active = new int[2 * latents.activeCount(row)];
    }
    latents.forEach(
        row,
        (latent, activation) -> {
          if (activation > 0) {
            active[activeCount++] = latent;
          }
        });
  }

  /**
   * Joins the counts of other rows, such as those of another range. Counts are exact where both
   * were and all pairs fit.
   *
   * @param other a counter of the same SAE; does not change
   * @throws IllegalArgumentException if the levels differ
   */
  public void merge(CoactivationCounter other) {
    if (other == this || !Arrays.equals(levelOf, other.levelOf)) {
      throw new IllegalArgumentException(
          "merge: expected another counter of an SAE with the same levels");
    }
    firings.merge(other.firings.statistics());
    pairs.merge(other.pairs);
  }

  void writeTo(StateWriter out) {
    firings.writeTo(out);
    pairs.writeTo(out);
  }

  void mergeFrom(StateReader in) throws StateException {
    firings.mergeFrom(in);
    pairs.mergeFrom(in);
  }

  /**
   * Returns the counts.
   *
   * @param minBoth pairs that fire together on fewer tokens are left out
   * @return the counts so far
   */
  public Coactivations result(int minBoth) {
    LatentStatistics statistics = firings.statistics();
    return new Coactivations(statistics, pairs, minBoth);
  }
}
