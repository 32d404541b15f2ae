package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PairCountsTest {

  /** Pairs of which low numbers are much more common, as latents are. */
  private static Map<Long, Integer> fill(PairCounts counts, int increments) {
    Random random = new Random(11);
    Map<Long, Integer> truth = new HashMap<>();
    for (int i = 0; i < increments; i++) {
      int first = (int) (200 * Math.pow(random.nextDouble(), 4));
      int second = 200 + (int) (1000 * Math.pow(random.nextDouble(), 4));
      counts.increment(first, second);
      truth.merge(PairCounts.key(first, second), 1, Integer::sum);
    }
    return truth;
  }

  @Test
  void increment_belowTheLimit_countsExactly() {
    PairCounts counts = new PairCounts(1 << 20);
    Map<Long, Integer> truth = fill(counts, 200_000);

    assertThat(counts.missed()).isZero();
    assertThat(counts.keys(1)).hasSize(truth.size()).isSorted();
    truth.forEach(
        (key, count) ->
            assertThat(counts.count(PairCounts.first(key), PairCounts.second(key)))
                .isEqualTo(count));
  }

  @Test
  void increment_beyondTheLimit_missesNoMoreThanItSays() {
    PairCounts counts = new PairCounts(5_000);
    Map<Long, Integer> truth = fill(counts, 200_000);

    assertThat(truth).hasSizeGreaterThan(10_000);
    assertThat(counts.missed()).isPositive();
    assertThat(counts.keys(1).length).isLessThanOrEqualTo(5_000);
    truth.forEach(
        (key, count) ->
            assertThat((long) counts.count(PairCounts.first(key), PairCounts.second(key)))
                .isBetween(count - counts.missed(), (long) count));
    long mostCommon =
        truth.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
    assertThat(counts.count(PairCounts.first(mostCommon), PairCounts.second(mostCommon)))
        .isPositive();
  }

  @Test
  void keys_atLeast_leavesRarerPairsOut() {
    PairCounts counts = new PairCounts(10);
    counts.increment(1, 2);
    counts.increment(1, 3);
    counts.increment(1, 3);

    assertThat(counts.keys(2)).containsExactly(PairCounts.key(1, 3));
    assertThat(counts.count(7, 8)).isZero();
  }
}
