package io.matryoshka.sae.explore;

import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.LatentStatistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Finds tokens where latents fire with less than three quarters of their largest activation: a few
 * from each of the lower quarters, drawn by a hash of the row, so that any order of work draws the
 * same. The strongest tokens alone make a latent look purer than it is.
 */
final class LowerExamples implements LatentPass.Collector {

  private static final int QUARTERS = 3;
  private static final int PER_QUARTER = 2;
  private static final long GOLDEN_RATIO = 0x9e3779b97f4a7c15L;

  private final int[] places;
  private final float[] largest;
  private final TopContexts contexts;

  /**
   * Starts without rows.
   *
   * @param latents the latents to find tokens for
   * @param statistics of the same rows, for the largest activations
   * @param reach tokens of context on each side
   */
  LowerExamples(int[] latents, LatentStatistics statistics, int reach) {
    places = new int[statistics.size()];
    Arrays.fill(places, -1);
    largest = new float[statistics.size()];
    for (int i = 0; i < latents.length; i++) {
      places[latents[i]] = i;
      largest[latents[i]] = statistics.maxActivation(latents[i]);
    }
    contexts =
        new TopContexts(Math.max(1, QUARTERS * latents.length), PER_QUARTER, reach, new Drawn());
  }

  private final class Drawn implements TopContexts.Ranking {
    @Override
    public int slot(int latent, float activation) {
      if (places[latent] < 0 || !(activation > 0)) {
        return -1;
      }
      int quarter = (int) ((QUARTERS + 1) * (activation / largest[latent]));
      return quarter < QUARTERS ? QUARTERS * places[latent] + quarter : -1;
    }

    /** Mixes the bits of the row (SplitMix64) to a number above 0. */
    @Override
    public float score(long row, float activation) {
      long bits = (row + 1) * GOLDEN_RATIO;
      bits = (bits ^ bits >>> 30) * 0xbf58476d1ce4e5b9L;
      return ((bits ^ bits >>> 27) >>> 41) + 1;
    }
  }

  @Override
  public void add(long firstRow, float[] x, SparseLatents latents, BitSet leftOut) {
    contexts.add(firstRow, x, latents, leftOut);
  }

  /** The tokens of a latent but those that are shown anyway, strongest first. */
  List<TopContext> of(int latent, List<TopContext> shown) {
    Set<Long> rows = shown.stream().map(TopContext::row).collect(Collectors.toSet());
    List<TopContext> found = new ArrayList<>();
    for (int quarter = 0; quarter < QUARTERS; quarter++) {
      found.addAll(contexts.strongest(QUARTERS * places[latent] + quarter));
    }
    return found.stream()
        .filter(context -> !rows.contains(context.row()))
        .sorted(Comparator.comparingDouble(TopContext::activation).reversed())
        .toList();
  }
}
