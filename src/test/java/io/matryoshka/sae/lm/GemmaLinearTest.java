package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of one layer with a matrix that is widened at once, or in pieces for few rows. */
class GemmaLinearTest {

  private static final int FLOAT32 = 6;
  private static final int INNER = 1024;

  @ParameterizedTest
  @CsvSource({"1, 1100", "8, 1100", "9, 1100", "1, 2048", "3, 40"})
  void linear_anyNumberOfRowsAndColumns_isTheProduct(int rows, int columns) {
    Random random = new Random(rows);
    float[] x = new float[rows * INNER];
    float[] w = new float[columns * INNER];
    for (int i = 0; i < x.length; i++) {
      x[i] = (random.nextInt(17) - 8) / 8f;
    }
    for (int i = 0; i < w.length; i++) {
      w[i] = (random.nextInt(17) - 8) / 8f; // exact in float16
    }
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray left = manager.create(x, new Shape(1, rows, INNER));
      NDArray right = manager.create(w, new Shape(columns, INNER)).toType(DataType.FLOAT16, false);
      NDArray scratch = manager.create(new Shape((long) columns * INNER), DataType.FLOAT32);
      ModelKernels kernels = ModelKernels.gemma();
      NDArray flat = left.reshape(rows, INNER);
      NDArray deep = kernels.call(manager, "linear", left, right, FLOAT32, scratch);
      float[] plain = kernels.call(manager, "linear", flat, right, FLOAT32, scratch).toFloatArray();
      assertThat(deep.getShape()).isEqualTo(new Shape(1, rows, columns));
      assertThat(deep.toFloatArray()).isEqualTo(plain);
      for (int at = 0; at < plain.length; at += 37) {
        double sum = 0;
        for (int d = 0; d < INNER; d++) {
          sum += (double) x[at / columns * INNER + d] * w[at % columns * INNER + d];
        }
        assertThat((double) plain[at]).isCloseTo(sum, within(1e-3));
      }
    }
  }
}
