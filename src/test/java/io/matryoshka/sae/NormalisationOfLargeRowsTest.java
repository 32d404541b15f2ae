package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows whose squares do not fit in float32: both normalisations take out any factor. */
class NormalisationOfLargeRowsTest {

  private static final float[] X = {0.5f, -1, 2, 1, -0.25f, 0.75f, 1.5f, -2};

  @TempDir private Path folder;

  @ParameterizedTest(name = "{0} {1} {2}")
  @CsvSource({
    "layer_norm, FAST, 1e20",
    "layer_norm, FAST, 1e38",
    "layer_norm, REFERENCE, 1e38",
    "layer_norm, FAST, 1e16",
    "constant_norm_rescale, FAST, 1e20",
    "constant_norm_rescale, REFERENCE, 4e37",
  })
  void encode_rowTimesAFactor_hasTheLatentsOfTheRow(
      String mode, LoadOptions.Engine engine, float factor) throws IOException {
    CaseFolder.copy("jumprelu", folder)
        .config(c -> c.put("normalize_activations", mode).put("apply_b_dec_to_input", false));
    float[] large = new float[X.length];
    for (int d = 0; d < X.length; d++) {
      large[d] = X[d] * factor;
    }
    try (SAE sae = SAE.load(folder, LoadOptions.defaults().engine(engine))) {
      SparseLatents expected = sae.encodeSparse(X);
      SparseLatents latents = sae.encodeSparse(large);
      assertThat(expected.activeCount()).isPositive();
      assertThat(latents.latents()).isEqualTo(expected.latents());
      for (int e = 0; e < latents.activeCount(); e++) {
        float wanted = expected.activations()[e];
        // The epsilon of layer_norm is 1e-5 of the deviation of the small row.
        assertThat(latents.activations()[e]).isCloseTo(wanted, within(wanted));
      }
      float[] back = sae.decode(latents);
      float[] small = sae.decode(expected);
      for (int d = 0; d < back.length; d++) {
        assertThat((double) back[d] / factor).isCloseTo(small[d], Offset.offset(1e-4));
      }
    }
  }

  private static Offset<Float> within(float value) {
    return Offset.offset(Math.max(1e-4f, Math.abs(value) * 1e-4f));
  }
}
