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
                .isEqualTo((long) count));
  }

  @Test
  void merge_partsBelowTheLimit_countExactly() {
    PairCounts whole = new PairCounts(1 << 20);
    fill(whole, 20_000);
    fill(whole, 30_000);
    PairCounts first = new PairCounts(1 << 20);
    fill(first, 20_000);
    PairCounts second = new PairCounts(1 << 20);
    fill(second, 30_000);

    second.merge(first);

    assertThat(second.missed()).isZero();
    assertThat(second.size()).isEqualTo(whole.size());
    for (long key : whole.keys(1)) {
      assertThat(second.count(PairCounts.first(key), PairCounts.second(key)))
          .isEqualTo(whole.count(PairCounts.first(key), PairCounts.second(key)));
    }
  }

  @Test
  void merge_partsBeyondTheLimit_missNoMoreThanTheySay() {
    PairCounts first = new PairCounts(5_000);
    Map<Long, Integer> truth = fill(first, 200_000);
    PairCounts second = new PairCounts(5_000);
    fill(second, 200_000);
    long missedBefore = first.missed() + second.missed();

    first.merge(second);

    assertThat(first.missed()).isGreaterThanOrEqualTo(missedBefore);
    truth.forEach(
        (key, count) ->
            assertThat(first.count(PairCounts.first(key), PairCounts.second(key)))
                .isBetween(2L * count - first.missed(), 2L * count));
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
            assertThat(counts.count(PairCounts.first(key), PairCounts.second(key)))
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
