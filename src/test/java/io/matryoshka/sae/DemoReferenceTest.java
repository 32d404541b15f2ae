package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Agreement with SAELens on real activations. No pre-activation of the demo lies within 1e-5 of its
 * threshold, so the active set must be the same; values may differ by float32 summation order.
 */
public class DemoReferenceTest {

  /** Relative to the largest value: SAELens and this library sum in different orders. */
  private static final double TOLERANCE = 1e-5;

  @ParameterizedTest
  @EnumSource(LoadOptions.Engine.class)
  void encodeSparse_demo_isSaeLens(LoadOptions.Engine engine) throws IOException {
    try (SAE sae = DemoData.sae(LoadOptions.defaults().engine(engine))) {
      SparseLatents latents = sae.encodeSparse(DemoData.activations());
      int[] rows = DemoData.referenceInts("feature_acts_row");
      int[] expectedOffsets = new int[DemoData.ROWS + 1];
      for (int row : rows) {
        expectedOffsets[row + 1]++;
      }
      Arrays.parallelPrefix(expectedOffsets, Integer::sum);
      assertThat(latents.rowOffsets()).isEqualTo(expectedOffsets);
      assertThat(latents.latents()).isEqualTo(DemoData.referenceInts("feature_acts_latent"));
      assertClose(latents.activations(), DemoData.reference("feature_acts_value"));
    }
  }

  @ParameterizedTest
  @EnumSource(LoadOptions.Engine.class)
  void decode_everyPrefix_isSaeLens(LoadOptions.Engine engine) throws IOException {
    try (SAE sae = DemoData.sae(LoadOptions.defaults().engine(engine));
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray x = manager.create(DemoData.activations(), new Shape(DemoData.ROWS, DemoData.D_IN));
      NDArray[] nested = sae.reconstructions(x);
      assertThat(sae.widths()).containsExactly(32, 128, 512, 2048);
      for (int level = 0; level < nested.length; level++) {
        int width = DemoData.WIDTHS[level];
        float[] expected = DemoData.reference("reconstruction_w" + width);
        assertClose(nested[level].toFloatArray(), expected);
        try (SAE prefix = sae.prefix(width)) {
          assertThat(prefix.dSae()).isEqualTo(width);
          assertClose(prefix.forward(x).toFloatArray(), expected);
          assertClose(prefix.decode(prefix.encode(x)).toFloatArray(), expected);
        }
      }
      assertClose(sae.forward(x).toFloatArray(), DemoData.reference("reconstruction"));
    }
  }

  @Test
  void encode_fastAndReference_agree() throws IOException {
    try (SAE fast = DemoData.sae(LoadOptions.defaults());
        SAE plain = DemoData.sae(LoadOptions.defaults().engine(LoadOptions.Engine.REFERENCE));
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray x = manager.create(DemoData.activations(), new Shape(4, 128, DemoData.D_IN));
      NDArray a = fast.encode(x);
      NDArray b = plain.encode(x);
      assertThat(a.getShape()).isEqualTo(new Shape(4, 128, DemoData.D_SAE)).isEqualTo(b.getShape());
      assertClose(a.toFloatArray(), b.toFloatArray());
    }
  }

  public static void assertClose(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      double limit = TOLERANCE * Math.max(Math.abs(expected[i]), 0.1 * largest);
      assertThat((double) actual[i])
          .as("element %d", i)
          .isBetween(expected[i] - limit, expected[i] + limit);
    }
  }
}
