package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SparseLatents;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class CoactivationTest {

  /** Ten tokens: parent on 4, child on 5, both on 3. */
  private static final Coactivation PAIR = new Coactivation(1, 7, 3, 4, 5, 10);

  @Test
  void shares_ofTheTwoByTwoTable_areThoseByHand() {
    assertThat(PAIR.childGivenParent()).isEqualTo(0.75);
    assertThat(PAIR.parentGivenChild()).isEqualTo(0.6);
    assertThat(PAIR.lift()).isEqualTo(1.5);
    // (10*3 - 4*5) / sqrt(4*6*5*5)
    assertThat(PAIR.correlation()).isCloseTo(10 / Math.sqrt(600), within(1e-12));
  }

  @Test
  void correlation_latentThatAlwaysFires_isNaN() {
    assertThat(new Coactivation(1, 7, 5, 10, 5, 10).correlation()).isNaN();
  }

  @Test
  void counter_levels_pairsWithinALevelAreLeftOut() {
    CoactivationCounter counter = new CoactivationCounter(new Levels(List.of(2, 4)), 100);
    // Latents 0 and 1 are parents, 2 and 3 children; a negative activation does not fire.
    counter.add(
        0,
        new float[0],
        SparseLatents.of(
            new int[] {0, 4, 6, 8},
            new int[] {0, 1, 2, 3, 0, 2, 1, 3},
            new float[] {1, 1, 1, 1, 1, 1, -1, 1},
            4),
        new BitSet());

    Coactivations result = counter.result(1);

    assertThat(result.pairs()).isEqualTo(4);
    assertThat(result.children(0, 9))
        .containsExactly(new Coactivation(0, 2, 2, 2, 2, 3), new Coactivation(0, 3, 1, 2, 2, 3));
    assertThat(result.parents(3, 9)).extracting(Coactivation::parent).contains(0);
    assertThat(result.children(2, 9)).isEmpty();
  }

  @Test
  void counter_tooFewPairs_isRefused() {
    assertThatThrownBy(() -> new CoactivationCounter(new Levels(List.of(2)), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 2");
  }
}
