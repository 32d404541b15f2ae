package io.matryoshka.sae.internal.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.config.LatentParameters;
import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsBuilder;
import io.matryoshka.sae.internal.kernel.prepared.LatentNorms;
import io.matryoshka.sae.internal.kernel.prepared.NativeBytes;
import io.matryoshka.sae.internal.kernel.prepared.WeightSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExactProductsTest {

  private static final int LATENTS = 48;
  private static final int ROWS = 40;

  private final NDManager manager = NDManager.newBaseManager(Device.cpu());

  @AfterEach
  void close() {
    manager.close();
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "7, 0", "64, 0", "65, 0", "100, 0", "64, 4", "100, 4", "2304, 12"})
  void compute_anyMemory_givesTheSameBitsForEveryRowAlone(int dIn, int offset) throws IOException {
    float[] x = random(ROWS * dIn, 1);
    float[] wEnc = random(dIn * LATENTS, 2);
    ExactProducts exact = products(wEnc, dIn);
    float[] whole = exact.compute(rows(x, dIn, offset), all(ROWS));
    for (int row = 0; row < ROWS; row++) {
      float[] one = Arrays.copyOfRange(x, row * dIn, (row + 1) * dIn);
      float[] single = exact.compute(rows(one, dIn, 0), all(1));
      for (int j = 0; j < LATENTS; j++) {
        assertThat(whole[row * LATENTS + j]).isEqualTo(single[j]);
        double sum = 0;
        double size = 0;
        for (int d = 0; d < dIn; d++) {
          double term = (double) one[d] * wEnc[d * LATENTS + j];
          sum += term;
          size += Math.abs(term);
        }
        assertThat((double) single[j]).isBetween(sum - 1e-6 * size, sum + 1e-6 * size);
      }
    }
  }

  @Test
  void compute_transposedView_readsTheRightNumbers() throws IOException {
    int dIn = 32;
    float[] x = random(ROWS * dIn, 3);
    ExactProducts exact = products(random(dIn * LATENTS, 4), dIn);
    NDArray columns =
        manager.create(x, new Shape(ROWS, dIn)).transpose().toType(DataType.FLOAT32, true);
    NDArray view = columns.transpose();
    float[] fromView = exact.compute(ActivationRows.of(view, null, manager), all(ROWS));
    assertThat(fromView).isEqualTo(exact.compute(rows(x, dIn, 0), all(ROWS)));
  }

  @Test
  void encoderRows_unalignedMemory_areRefused() {
    ByteBuffer unaligned = NativeBytes.allocateDirect(128).position(4).slice();
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new EncoderRows(
                    4, 1, new ByteBuffer[] {unaligned}, new ByteBuffer[1], new LatentNorms(1)))
        .withMessageContaining("64 bytes");
  }

  private static ExactProducts products(float[] wEnc, int dIn) throws IOException {
    WeightSource source =
        (first, target, count) -> System.arraycopy(wEnc, (int) first, target, 0, count);
    double[] ones = new double[LATENTS];
    Arrays.fill(ones, 1);
    ActivationTest all =
        ActivationTest.of(
                LatentParameters.of(new double[LATENTS], ones, new double[LATENTS]),
                SelectionRule.THRESHOLD)
            .withLimit(Float.NEGATIVE_INFINITY);
    EncoderRows rows = EncoderRowsBuilder.inMemory(source, dIn, LATENTS);
    return new ExactProducts(rows, all);
  }

  /** Rows in memory that begins {@code offset} bytes after an aligned address. */
  private ActivationRows rows(float[] x, int dIn, int offset) {
    ByteBuffer memory =
        NativeBytes.allocateDirect(offset + x.length * Float.BYTES).position(offset);
    ByteBuffer slice = memory.slice().order(ByteOrder.nativeOrder());
    slice.asFloatBuffer().put(x);
    int n = x.length / dIn;
    NDArray array = manager.create(slice, new Shape(n, dIn), DataType.FLOAT32);
    return ActivationRows.of(array, null, manager);
  }

  private static Candidates[] all(int rows) {
    Candidates[] all = new Candidates[rows];
    Arrays.setAll(all, row -> Candidates.all(LATENTS));
    return all;
  }

  private static float[] random(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
