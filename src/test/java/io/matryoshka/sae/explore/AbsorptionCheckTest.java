package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.stream.StateException;
import io.matryoshka.sae.support.HandSae;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AbsorptionCheckTest {

  @ParameterizedTest
  @CsvSource({
    // projection, main, absorbed, fraction
    "2, 0.5, 1, 0.6666666667",
    "2, 0.5, 9, 0.75",
    "2, 2, 9, 0",
    "2, 0.5, 0.79, 0",
    "2, 0, 0.8, 1",
    "2, -1, 1, 1"
  })
  void fraction_cases_areThoseByHand(double p, double main, double absorbed, double fraction) {
    assertThat(ParentAbsorption.fraction(p, main, absorbed)).isCloseTo(fraction, within(1e-9));
  }

  /**
   * Parent 0 points along x; child 1 half along x; child 2 not at all. The parent's mean activation
   * is 2.
   */
  @Test
  void result_threeTokens_isThatByHand(@TempDir Path folder) throws Exception {
    float[][] rows = {{1, 0}, {0.6f, 0.8f}, {0, 1}};
    try (SAE sae = HandSae.load(folder, List.of(1, 3), "none", rows)) {
      LatentStatistics statistics =
          LatentStatistics.of(4, new long[] {2, 0, 0}, new double[] {4, 0, 0}, new float[3]);
      AbsorptionCheck check = new AbsorptionCheck(sae, new int[] {0, 1}, statistics);

      // Projections 2, 3, 1, 4: the third token does not count.
      check.add(
          0,
          new float[] {2, 0, 3, 5, 1, 0, 4, 0},
          SparseLatents.of(
              new int[] {0, 2, 4, 5, 6},
              new int[] {0, 2, 1, 2, 1, 0},
              new float[] {2, 7, 5, 7, 9, 1},
              3),
          new BitSet());

      // First: main 2 = P, fraction 0. Second: silent, child 1 gives 3 of 3, fraction 1 and full.
      // Fourth: main 1, no child, fraction 0.
      Absorption found = check.result().get(0);
      assertThat(found.tokens()).isEqualTo(3);
      assertThat(found.silent()).isEqualTo(1);
      assertThat(found.fraction()).isCloseTo(1 / 3.0, within(1e-6));
      assertThat(found.full()).isCloseTo(1 / 3.0, within(1e-6));
      assertThat(found.topChild()).isEqualTo(1);
      assertThat(found.topChildTokens()).isEqualTo(1);
      assertThat(check.result().get(1).tokens()).isZero();
    }
  }

  @Test
  void constructor_saeThatNormalises_isRefused(@TempDir Path folder) throws Exception {
    try (SAE sae = HandSae.load(folder, List.of(1), "layer_norm", new float[][] {{1, 0}})) {
      LatentStatistics statistics =
          LatentStatistics.of(1, new long[1], new double[1], new float[1]);

      assertThatThrownBy(() -> new AbsorptionCheck(sae, new int[] {0}, statistics))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("layer_norm");
    }
  }

  @Test
  void merge_tokensInTwoParts_isWhole(@TempDir Path folder) throws Exception {
    float[][] rows = {{1, 0}, {0.6f, 0.8f}, {0, 1}};
    float[][] x = {{2, 0, 3, 5}, {1, 0, 4, 0}};
    SparseLatents[] latents = {
      SparseLatents.of(new int[] {0, 2, 4}, new int[] {0, 2, 1, 2}, new float[] {2, 7, 5, 7}, 3),
      SparseLatents.of(new int[] {0, 1, 2}, new int[] {1, 0}, new float[] {9, 1}, 3)
    };
    try (SAE sae = HandSae.load(folder, List.of(1, 3), "none", rows)) {
      LatentStatistics statistics =
          LatentStatistics.of(4, new long[] {2, 0, 0}, new double[] {4, 0, 0}, new float[3]);
      AbsorptionCheck whole = new AbsorptionCheck(sae, new int[] {0}, statistics);
      AbsorptionCheck merged = new AbsorptionCheck(sae, new int[] {0}, statistics);
      AbsorptionCheck read = new AbsorptionCheck(sae, new int[] {0}, statistics);
      for (int part = 1; part >= 0; part--) {
        AbsorptionCheck check = new AbsorptionCheck(sae, new int[] {0}, statistics);
        check.add(2 * part, x[part], latents[part], new BitSet());
        whole.add(2 * part, x[part], latents[part], new BitSet());
        merged.merge(check);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        check.save(bytes);
        read.mergeFrom(new ByteArrayInputStream(bytes.toByteArray()));
        assertThatThrownBy(
                () ->
                    new AbsorptionCheck(sae, new int[] {1}, statistics)
                        .mergeFrom(new ByteArrayInputStream(bytes.toByteArray())))
            .isInstanceOf(StateException.class)
            .hasMessageContaining("mean_activations");
      }

      assertThat(whole.result().get(0).tokens()).isEqualTo(3);
      assertThat(whole.result().get(0).topChild()).isEqualTo(1);
      assertThat(merged.result()).isEqualTo(whole.result());
      assertThat(read.result()).isEqualTo(whole.result());
      assertThatThrownBy(() -> merged.merge(new AbsorptionCheck(sae, new int[] {1}, statistics)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("same parents");
    }
  }
}
