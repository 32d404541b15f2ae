package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of one tile and of many, against sums in double precision. */
class TiledProductsTest {

  private static final int FLOAT32 = 6;
  private static final int INNER = 512;

  private final NDManager manager = NDManager.newBaseManager(Device.cpu());
  private final Random random = new Random(5);
  private final TiledProducts products = new TiledProducts(FLOAT32, INNER, manager);

  @AfterEach
  void close() {
    manager.close();
  }

  /** Values that float16 has. */
  private float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (random.nextInt(17) - 8) / 64f;
    }
    return values;
  }

  private NDArray matrix(float[] values, DataType type) {
    return manager.create(values, new Shape(values.length / INNER, INNER)).toType(type, false);
  }

  private static double dot(float[] x, int i, float[] w, int j) {
    double sum = 0;
    for (int d = 0; d < INNER; d++) {
      sum += (double) x[i * INNER + d] * w[j * INNER + d];
    }
    return sum;
  }

  private static void assertProduct(
      NDArray actual, int rows, int columns, DoubleBinaryOperator expected) {
    float[] values = actual.toFloatArray();
    assertThat(values).hasSize(rows * columns);
    for (int at = 0; at < values.length; at += 53) {
      double value = expected.applyAsDouble(at / columns, at % columns);
      assertThat((double) values[at]).as("number %d", at).isCloseTo(value, within(1e-4));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 40, FLOAT16",
    "3, 2048, FLOAT16",
    "1, 5000, FLOAT16",
    "300, 2049, FLOAT16",
    "513, 70, FLOAT16",
    "1, 5000, FLOAT32",
    "300, 2049, FLOAT32"
  })
  void linears_anyNumberOfTiles_areTheProducts(int rows, int columns, DataType type) {
    float[] x = values(rows * INNER);
    float[] w = values(columns * INNER);
    float[] small = values(7 * INNER);
    NDArray left = matrix(x, DataType.FLOAT32).reshape(1, rows, INNER);
    List<NDArray> results =
        products.linears(left, List.of(matrix(w, type), matrix(small, type)), manager);
    assertThat(results.get(0).getShape()).isEqualTo(new Shape(1, rows, columns));
    assertProduct(results.get(0), rows, columns, (i, j) -> dot(x, (int) i, w, (int) j));
    assertProduct(results.get(1), rows, 7, (i, j) -> dot(x, (int) i, small, (int) j));
    float[] again = products.linear(left, matrix(w, type), manager).toFloatArray();
    assertThat(again).isEqualTo(results.get(0).toFloatArray());
  }

  @ParameterizedTest
  @CsvSource({"1, 40", "2, 5000", "300, 2500"})
  void gated_anyNumberOfTiles_isGeluOfTheGateTimesUp(int rows, int columns) {
    float[] x = values(rows * INNER);
    float[] gate = values(columns * INNER);
    float[] up = values(columns * INNER);
    NDArray left = matrix(x, DataType.FLOAT32);
    NDArray right = matrix(gate, DataType.FLOAT16);
    NDArray result = products.gated(left, right, matrix(up, DataType.FLOAT16), manager);
    assertProduct(
        result,
        rows,
        columns,
        (i, j) -> {
          double g = dot(x, (int) i, gate, (int) j);
          double inner = Math.sqrt(2 / Math.PI) * (g + 0.044715 * g * g * g);
          return 0.5 * g * (1 + Math.tanh(inner)) * dot(x, (int) i, up, (int) j);
        });
  }

  @ParameterizedTest
  @CsvSource({"1, 5000, 0", "1, 5000, 0.5", "300, 2500, 0.5"})
  void logits_anyNumberOfTiles_areCapped(int rows, int ids, double cap) {
    float[] x = values(rows * INNER);
    float[] w = values(ids * INNER);
    NDArray head = matrix(w, DataType.FLOAT16);
    NDArray states = matrix(x, DataType.FLOAT32);
    List<NDArray> results = products.logits(List.of(states, states), head, cap, manager);
    for (NDArray result : results) {
      assertProduct(
          result,
          rows,
          ids,
          (i, j) -> {
            double y = dot(x, (int) i, w, (int) j);
            return cap == 0 ? y : cap * Math.tanh(y / cap);
          });
    }
  }
}
