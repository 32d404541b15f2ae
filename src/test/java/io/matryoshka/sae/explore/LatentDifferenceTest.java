package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.matryoshka.sae.eval.LatentStatistics;
import java.util.List;
import org.junit.jupiter.api.Test;

class LatentDifferenceTest {

  private static LatentStatistics statistics(long rows, long... firings) {
    double[] sums = new double[firings.length];
    for (int i = 0; i < sums.length; i++) {
      sums[i] = 2.5 * firings[i];
    }
    return LatentStatistics.of(rows, firings, sums, new float[firings.length]);
  }

  @Test
  void between_densities_haveTheStatisticByHand() {
    // p1 = 0.3, p2 = 0.1, pooled 20/100... of 100 and 100 rows: 0.2 / sqrt(0.2 * 0.8 * 0.02)
    LatentDifference found =
        LatentDifference.between(statistics(100, 30), statistics(100, 10)).get(0);

    assertThat(found.z()).isCloseTo(3.5355339059, within(1e-9));
    assertThat(found.meanActivation()).isEqualTo(2.5);
  }

  @Test
  void between_alwaysOrNeverOnBothSides_isZero() {
    List<LatentDifference> found =
        LatentDifference.between(statistics(10, 0, 10), statistics(20, 0, 20));

    assertThat(found).extracting(LatentDifference::z).containsExactly(0.0, 0.0);
    assertThat(found.get(0).meanActivation()).isNaN();
  }

  @Test
  void between_noRows_isNaN() {
    assertThat(LatentDifference.between(statistics(0, 0), statistics(10, 5)).get(0).z()).isNaN();
  }

  @Test
  void largestFirst_signs_countAlike() {
    List<LatentDifference> sorted =
        LatentDifference.between(statistics(100, 50, 10, 90), statistics(100, 50, 90, 20)).stream()
            .sorted(LatentDifference.largestFirst())
            .toList();

    assertThat(sorted).extracting(LatentDifference::latent).containsExactly(1, 2, 0);
  }

  @Test
  void between_matches_comparesEachWithItsMatch() {
    List<LatentMatch> matches =
        List.of(new LatentMatch(0, 1, 0.9, true), new LatentMatch(1, -1, Double.NaN, false));

    List<LatentDifference> found =
        LatentDifference.between(statistics(10, 1, 2), statistics(10, 3, 4), matches);

    assertThat(found).hasSize(1);
    assertThat(found.get(0).otherDensity()).isEqualTo(0.4);
  }

  @Test
  void between_otherNumberOfLatents_namesBoth() {
    assertThatThrownBy(() -> LatentDifference.between(statistics(1, 1), statistics(1, 1, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 1 and 2");
  }
}
