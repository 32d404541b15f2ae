package io.matryoshka.sae.internal.kernel.prepared;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EncoderRowsBuilderTest {

  @ParameterizedTest
  @CsvSource({"2, 4000, 100, 2", "64, 4000, 100, 10", "64, 4000, 1001, 1", "1, 4000, 100, 1"})
  void threads_ofHeap_leaveThreeQuartersOfIt(int processors, long heap, long each, int expected) {
    assertThat(EncoderRowsBuilder.threads(processors, heap, each)).isEqualTo(expected);
  }

  /** Shapes around the sizes of tiles, strips and groups. */
  @ParameterizedTest
  @CsvSource({"1, 1", "15, 1", "16, 3", "17, 2047", "1, 2048", "33, 2049", "5, 6145"})
  void build_anyShape_givesEveryRowOnce(int dIn, int dSae) throws Exception {
    float[] found = new float[dIn * dSae];
    Arrays.fill(found, Float.NaN);
    WeightSource source =
        (first, target, count) -> {
          for (int i = 0; i < count; i++) {
            target[i] = first + i;
          }
        };
    EncoderRowsBuilder.build(
        source,
        dIn,
        dSae,
        (first, count, rows, codes) -> System.arraycopy(rows, 0, found, first * dIn, count * dIn));
    for (int latent = 0; latent < dSae; latent++) {
      for (int d = 0; d < dIn; d++) {
        if (found[latent * dIn + d] != (float) d * dSae + latent) {
          assertThat(found[latent * dIn + d]).as("%d, %d", latent, d).isEqualTo(d * dSae + latent);
        }
      }
    }
  }

  @Test
  void build_zeroInfiniteAndTinyRows_areCodedAsZeros() throws Exception {
    float[] weights = {0f, Float.POSITIVE_INFINITY, 1e-40f, 2f, 0f, 1f, -1e-40f, -1f};
    byte[] found = new byte[8];
    LatentNorms norms =
        EncoderRowsBuilder.build(
            (first, target, count) -> System.arraycopy(weights, (int) first, target, 0, count),
            2,
            4,
            (first, count, rows, codes) -> System.arraycopy(codes, 0, found, 0, 8));
    assertThat(found).containsExactly(0, 0, 0, 0, 0, 0, 127, -64);
    assertThat(norms.step()).containsExactly(1f, 1f, 1f, 2f / 127);
    assertThat(norms.norm()[1]).isInfinite();
    assertThat(norms.residualNorm()[1]).isInfinite();
    assertThat(norms.norm()[2]).isGreaterThanOrEqualTo(1e-40f);
  }
}
