package io.matryoshka.sae.kernel;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A block of prepared activations with their int8 codes: row {@code i} is {@code step[i] *
 * codes[i]} on all but the outlier dimensions, plus a rest whose norm is known.
 */
final class QuantisedRows {

  /** A dimension stands out where it is this many times the row's mean absolute value. */
  private static final float OUTLIER_RATIO = 8f;

  /** Most outlier dimensions that are handled in float32; more would cost more than they save. */
  private static final int MAX_OUTLIERS = 32;

  /** Outside this range of the largest absolute value a row is not quantised. */
  private static final float SMALLEST = 0x1p-60f;

  private static final float LARGEST = 0x1p60f;

  private static final int MAX_CODE = 127;

  final int rows;
  final int dIn;

  /** {@code [rows * d_in]} float32 activations. */
  final float[] values;

  /** {@code [rows * d_in]} int8 codes, 0 on outlier dimensions. */
  final ByteBuffer codes;

  /** Value of one code unit of a row. */
  final float[] step;

  /** {@code (|rest| + rounding of the float32 product) / step}: the factor on a latent's norm. */
  final float[] normFactor;

  /** {@code |coded part| / step}: the factor on a latent's residual norm. */
  final float[] residualFactor;

  /** Upper bound of the norm of a row. */
  final float[] norm;

  /** Whether a row is finite and of a size that can be quantised. */
  final boolean[] screenable;

  /** Whether a row holds a NaN, which makes every pre-activation NaN. */
  final boolean[] nan;

  /** Dimensions left out of the codes, rising. */
  final int[] outliers;

  QuantisedRows(float[] values, int rows, int dIn, ByteBuffer codes) {
    this.values = values;
    this.rows = rows;
    this.dIn = dIn;
    this.codes = codes;
    step = new float[rows];
    normFactor = new float[rows];
    residualFactor = new float[rows];
    norm = new float[rows];
    screenable = new boolean[rows];
    nan = new boolean[rows];
    outliers = findOutliers();
    IntStream rowIndices = IntStream.range(0, rows);
    (rows >= 16 ? rowIndices.parallel() : rowIndices).forEach(this::quantise);
  }

  private int[] findOutliers() {
    float[] ratios = new float[dIn];
    for (int row = 0; row < rows; row++) {
      int base = row * dIn;
      double sum = 0;
      for (int d = 0; d < dIn; d++) {
        sum += Math.abs(values[base + d]);
      }
      float limit = (float) (OUTLIER_RATIO * sum / dIn);
      if (!(limit > 0) || Float.isInfinite(limit)) {
        continue;
      }
      for (int d = 0; d < dIn; d++) {
        float size = Math.abs(values[base + d]);
        if (size > limit) {
          ratios[d] = Math.max(ratios[d], size / limit);
        }
      }
    }
    return IntStream.range(0, dIn)
        .filter(d -> ratios[d] > 0)
        .boxed()
        .sorted((a, b) -> Float.compare(ratios[b], ratios[a]))
        .limit(MAX_OUTLIERS)
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }

  private void quantise(int row) {
    int base = row * dIn;
    float[] coded = Arrays.copyOfRange(values, base, base + dIn);
    double sum = 0;
    for (float v : coded) {
      sum += (double) v * v;
    }
    nan[row] = Double.isNaN(sum);
    norm[row] = Rounding.up(Math.sqrt(sum) * Rounding.INFLATE);
    for (int d : outliers) {
      coded[d] = 0;
    }
    float largest = 0;
    for (float v : coded) {
      largest = Math.max(largest, Math.abs(v));
    }
    boolean zero = largest == 0;
    screenable[row] =
        sum < (double) LARGEST * LARGEST
            && (sum == 0 || (largest > SMALLEST || zero && sum > SMALLEST));
    step[row] = zero || !screenable[row] ? 1f : largest / MAX_CODE;
    double inverse = screenable[row] ? 1.0 / step[row] : 0;
    byte[] code = new byte[dIn];
    double rest = 0;
    double kept = 0;
    for (int d = 0; d < dIn; d++) {
      int q = (int) Math.rint(coded[d] * inverse);
      code[d] = (byte) q;
      double difference = coded[d] - (double) step[row] * q;
      rest += difference * difference;
      kept += (double) q * q;
    }
    codes.put(base, code);
    double rounding = Rounding.dotError(dIn) * norm[row];
    normFactor[row] = Rounding.up((Math.sqrt(rest) + rounding) / step[row] * Rounding.INFLATE);
    residualFactor[row] = Rounding.up(Math.sqrt(kept) * Rounding.INFLATE);
  }
}
