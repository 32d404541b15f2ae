package io.matryoshka.sae.eval;

import java.util.Arrays;

/**
 * Sums over one row in double. Each loop runs over arrays of doubles with independent lanes, so
 * that the compiler can vectorise it; the order of additions is fixed, hence the result too.
 */
final class RowReducer {

  private static final int LANES = 32;

  private final int dIn;
  private final double[] x;
  private final double[] y;
  private final double[][] lanes = new double[3][LANES];

  RowReducer(int dIn) {
    this.dIn = dIn;
    x = new double[dIn];
    y = new double[dIn];
  }

  /** Chooses the activation that the next calls compare with. */
  void activation(float[] source, int row) {
    widen(source, row, x);
  }

  /** {@code ||x||^2}. */
  double squaredNorm() {
    clear(1);
    double[] sum = lanes[0];
    int d = 0;
    for (; d + LANES <= dIn; d += LANES) {
      for (int i = 0; i < LANES; i++) {
        sum[i] += x[d + i] * x[d + i];
      }
    }
    for (; d < dIn; d++) {
      sum[d % LANES] += x[d] * x[d];
    }
    return total(sum);
  }

  /** {@code ||x - centre||^2}. */
  double squaredDistance(double[] centre) {
    return squaredDistance(x, centre);
  }

  /** {@code ||(x - y) - centre||^2}. */
  double squaredResidualDistance(float[] reconstruction, int row, double[] centre) {
    widen(reconstruction, row, y);
    for (int d = 0; d < dIn; d++) {
      y[d] = x[d] - y[d];
    }
    return squaredDistance(y, centre);
  }

  /** Adds {@code x - origin} to a sum per dimension. */
  void addDifferenceTo(double[] sum, double[] origin) {
    for (int d = 0; d < dIn; d++) {
      sum[d] += x[d] - origin[d];
    }
  }

  /** Adds {@code x - y} to a sum per dimension. */
  void addResidualTo(float[] reconstruction, int row, double[] sum) {
    widen(reconstruction, row, y);
    for (int d = 0; d < dIn; d++) {
      sum[d] += x[d] - y[d];
    }
  }

  /** Puts {@code ||x - y||^2}, {@code ||y||^2} and {@code x.y} into slot {@code at}. */
  void compare(float[] reconstruction, int row, RowSums into, int at) {
    widen(reconstruction, row, y);
    clear(3);
    double[] error = lanes[0];
    double[] norm = lanes[1];
    double[] product = lanes[2];
    int d = 0;
    for (; d + LANES <= dIn; d += LANES) {
      for (int i = 0; i < LANES; i++) {
        double difference = x[d + i] - y[d + i];
        error[i] += difference * difference;
        norm[i] += y[d + i] * y[d + i];
        product[i] += x[d + i] * y[d + i];
      }
    }
    for (; d < dIn; d++) {
      double difference = x[d] - y[d];
      error[d % LANES] += difference * difference;
      norm[d % LANES] += y[d] * y[d];
      product[d % LANES] += x[d] * y[d];
    }
    into.squaredError()[at] = total(error);
    into.squaredNorm()[at] = total(norm);
    into.product()[at] = total(product);
  }

  private double squaredDistance(double[] a, double[] b) {
    clear(1);
    double[] sum = lanes[0];
    int d = 0;
    for (; d + LANES <= dIn; d += LANES) {
      for (int i = 0; i < LANES; i++) {
        double difference = a[d + i] - b[d + i];
        sum[i] += difference * difference;
      }
    }
    for (; d < dIn; d++) {
      double difference = a[d] - b[d];
      sum[d % LANES] += difference * difference;
    }
    return total(sum);
  }

  private void widen(float[] source, int row, double[] target) {
    int from = row * dIn;
    for (int d = 0; d < dIn; d++) {
      target[d] = source[from + d];
    }
  }

  private void clear(int used) {
    for (int i = 0; i < used; i++) {
      Arrays.fill(lanes[i], 0);
    }
  }

  private static double total(double[] lane) {
    double sum = 0;
    for (double value : lane) {
      sum += value;
    }
    return sum;
  }
}
