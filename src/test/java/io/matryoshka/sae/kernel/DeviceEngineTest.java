package io.matryoshka.sae.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The device engine is device-agnostic, so the CPU proves its arithmetic. */
class DeviceEngineTest {

  private static final int D_IN = 96;
  private static final int D_SAE = 700;

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 699, 700})
  void encode_anyWidth_isTheReference(int width) {
    try (NDManager manager = NDManager.newBaseManager()) {
      Engines engines = new Engines(manager);
      NDArray x = manager.create(activations(1100, 1), new Shape(1100, D_IN));
      Csr fast = engines.device.encode(x, width, Rule.THRESHOLD);
      Csr plain = engines.reference.encode(x, width, Rule.THRESHOLD);
      assertThat(fast.rowOffsets()).isEqualTo(plain.rowOffsets());
      assertThat(fast.latents()).isEqualTo(plain.latents());
      for (int e = 0; e < plain.values().length; e++) {
        assertThat(fast.values()[e]).isCloseTo(plain.values()[e], within(plain.values()[e]));
      }
      ScreeningStats stats = engines.device.stats();
      assertThat(stats.active()).isEqualTo(plain.latents().length);
      assertThat(stats.candidates()).isBetween(stats.active(), stats.screened());
    }
  }

  @Test
  void encode_outliersNanAndZeros_isTheReference() {
    try (NDManager manager = NDManager.newBaseManager()) {
      Engines engines = new Engines(manager);
      float[] values = activations(5, 2);
      Arrays.fill(values, 0, D_IN, 0f);
      values[D_IN + 3] = 1000f;
      values[2 * D_IN + 9] = Float.NaN;
      NDArray x = manager.create(values, new Shape(5, D_IN));
      Csr fast = engines.device.encode(x, D_SAE, Rule.THRESHOLD);
      Csr plain = engines.reference.encode(x, D_SAE, Rule.THRESHOLD);
      assertThat(fast.rowOffsets()).isEqualTo(plain.rowOffsets());
      assertThat(fast.latents()).isEqualTo(plain.latents());
      assertThat(fast.values()[fast.rowOffsets()[2]]).isNaN();
    }
  }

  @Test
  void encode_noRows_isEmpty() {
    try (NDManager manager = NDManager.newBaseManager()) {
      Engines engines = new Engines(manager);
      NDArray x = manager.zeros(new Shape(0, D_IN));
      assertThat(engines.device.encode(x, D_SAE, Rule.THRESHOLD).rows()).isZero();
    }
  }

  private static org.assertj.core.data.Offset<Float> within(float value) {
    return org.assertj.core.data.Offset.offset(1e-4f * Math.max(1, Math.abs(value)));
  }

  private static float[] activations(int rows, long seed) {
    Random random = new Random(seed);
    float[] x = new float[rows * D_IN];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** Both engines over the same random weights. */
  private static final class Engines {
    final ReferenceEngine reference;
    final DeviceEngine device;

    Engines(NDManager manager) {
      float[] weights = activations(D_SAE, 3);
      for (int i = 0; i < weights.length; i++) {
        weights[i] /= 10;
      }
      NDArray wEnc = manager.create(weights, new Shape(D_IN, D_SAE));
      NDArray bias = manager.create(Arrays.copyOf(activations(D_SAE, 4), D_SAE)).mul(0.1);
      float[] ones = new float[D_SAE];
      Arrays.fill(ones, 1f);
      NDArray scale = manager.create(ones);
      float[] threshold = new float[D_SAE];
      Arrays.fill(threshold, 1.5f);
      reference = new ReferenceEngine(wEnc, bias, scale, threshold);
      device = new DeviceEngine(wEnc, bias, scale, threshold, reference);
    }
  }
}
