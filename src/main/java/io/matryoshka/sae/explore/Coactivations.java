package io.matryoshka.sae.explore;

import io.matryoshka.sae.eval.LatentStatistics;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.LongStream;

/** Counts of parents and children that fire together. Immutable. */
public final class Coactivations {

  private static final Comparator<Coactivation> STRONGEST =
      Comparator.comparingDouble(Coactivation::correlation).reversed();

  private final LatentStatistics statistics;
  private final long missed;

  /** Rising by parent, then child. */
  private final long[] byParent;

  /** With child and parent exchanged, rising by child, then parent. */
  private final long[] byChild;

  private final PairCounts pairs;

  Coactivations(LatentStatistics statistics, PairCounts pairs, int minBoth) {
    this.statistics = statistics;
    this.pairs = pairs;
    missed = pairs.missed();
    byParent = pairs.keys(Math.max(1, minBoth));
    byChild =
        LongStream.of(byParent)
            .map(key -> PairCounts.key(PairCounts.second(key), PairCounts.first(key)))
            .sorted()
            .toArray();
  }

  /**
   * Returns how often and how strongly each latent fired on the same tokens.
   *
   * @return statistics of all latents
   */
  public LatentStatistics statistics() {
    return statistics;
  }

  /**
   * Returns by how many tokens a count may be too small.
   *
   * @return 0 if all counts are exact
   */
  public long missed() {
    return missed;
  }

  /**
   * Returns the number of pairs.
   *
   * @return pairs that fire together often enough
   */
  public int pairs() {
    return byParent.length;
  }

  /**
   * Returns the children of a latent that are most correlated with it.
   *
   * @param parent index of the latent
   * @param limit how many at most
   * @return by falling {@link Coactivation#correlation}, ties by the lower child
   */
  public List<Coactivation> children(int parent, int limit) {
    return strongest(byParent, parent, limit, true);
  }

  /**
   * Returns the parents of a latent that are most correlated with it.
   *
   * @param child index of the latent
   * @param limit how many at most
   * @return by falling {@link Coactivation#correlation}, ties by the lower parent
   */
  public List<Coactivation> parents(int child, int limit) {
    return strongest(byChild, child, limit, false);
  }

  private List<Coactivation> strongest(long[] keys, int latent, int limit, boolean isParent) {
    ToIntFunction<Coactivation> other = isParent ? Coactivation::child : Coactivation::parent;
    return LongStream.of(keys)
        .skip(start(keys, latent))
        .limit(start(keys, latent + 1) - start(keys, latent))
        .mapToObj(key -> pair(latent, PairCounts.second(key), isParent))
        .filter(pair -> !Double.isNaN(pair.correlation()))
        .sorted(STRONGEST.thenComparingInt(other))
        .limit(limit)
        .toList();
  }

  private static long start(long[] keys, int latent) {
    int at = Arrays.binarySearch(keys, PairCounts.key(latent, 0));
    return at < 0 ? -at - 1 : at;
  }

  private Coactivation pair(int latent, int other, boolean isParent) {
    int parent = isParent ? latent : other;
    int child = isParent ? other : latent;
    return new Coactivation(
        parent,
        child,
        pairs.count(parent, child),
        statistics.firings(parent),
        statistics.firings(child),
        statistics.rows());
  }
}
