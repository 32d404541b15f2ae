package io.matryoshka.sae.internal.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.Tuning;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CpuDecoderTest {

  private static final int D_IN = 301;
  private static final int D_SAE = 512;
  private static final int ROWS = 200;
  private static final int ACTIVE = 30; // of each row but the first, which has none

  @Test
  void decode_smallAndLargeCalls_sumTheRowsOfActiveLatents() {
    Random random = new Random(1);
    float[] weights = new float[D_SAE * D_IN];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    Csr all = csr(random);
    assertThat(Tuning.isSmall((long) all.latents().length * D_IN)).isFalse();
    assertThat(Tuning.isSmall((long) ACTIVE * D_IN)).isTrue();
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      CpuDecoder decoder = new CpuDecoder(manager.create(weights, new Shape(D_SAE, D_IN)));
      float[] whole = decoder.decode(all, manager).toFloatArray();
      for (int row = 0; row < ROWS; row++) {
        int begin = all.rowOffsets()[row];
        int end = all.rowOffsets()[row + 1];
        int[] latents = Arrays.copyOfRange(all.latents(), begin, end);
        float[] values = Arrays.copyOfRange(all.values(), begin, end);
        Csr one = new Csr(new int[] {0, end - begin}, latents, values);
        float[] alone = decoder.decode(one, manager).toFloatArray();
        for (int d = 0; d < D_IN; d++) {
          double sum = 0;
          for (int e = 0; e < latents.length; e++) {
            sum += (double) values[e] * weights[latents[e] * D_IN + d];
          }
          assertThat((double) alone[d]).isCloseTo(sum, within(1e-4));
          assertThat((double) whole[row * D_IN + d]).isCloseTo(sum, within(1e-4));
        }
      }
    }
  }

  private static Csr csr(Random random) {
    int[] offsets = new int[ROWS + 1];
    int[] latents = new int[(ROWS - 1) * ACTIVE];
    float[] values = new float[latents.length];
    for (int row = 1; row < ROWS; row++) {
      int begin = offsets[row];
      int[] chosen = random.ints(0, D_SAE).distinct().limit(ACTIVE).sorted().toArray();
      System.arraycopy(chosen, 0, latents, begin, ACTIVE);
      offsets[row + 1] = begin + ACTIVE;
    }
    for (int e = 0; e < values.length; e++) {
      values[e] = random.nextFloat() + 0.1f;
    }
    return new Csr(offsets, latents, values);
  }
}
