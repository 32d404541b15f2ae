package io.matryoshka.sae.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
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
  private static final float SMALLEST = 0x1p-50f;

  private static final float LARGEST = 0x1p50f;

  private static final int MAX_CODE = 127;

  /** Adding and subtracting it rounds a small float to an integer. */
  private static final float ROUNDER = 0x1.8p23f;

  private static final int ROW_GRAIN = 16;

  final int rows;
  final int dIn;

  /** {@code [rows]} activations of {@code d_in} numbers, see {@link Stripes}. */
  final float[][][] values;

  /** {@code [rows, d_in]} int8 codes, 0 on outlier dimensions. */
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

  /** Dimensions left out of the codes, rising. */
  final int[] outliers;

  /** Makes up for the float32 rounding of a sum of {@code d_in} squares. */
  private final double inflation;

  /** Makes up for squares too small for float32. */
  private final double underflow;

  /**
   * Reads and quantises a block.
   *
   * @param source {@code [rows, d_in]} row-major
   * @param rows number of rows
   * @param dIn the width of a model activation
   */
  QuantisedRows(FloatBuffer source, int rows, int dIn) {
    this.rows = rows;
    this.dIn = dIn;
    values = new float[rows][][];
    codes = ByteBuffer.allocateDirect(rows * dIn).order(ByteOrder.nativeOrder());
    step = new float[rows];
    normFactor = new float[rows];
    residualFactor = new float[rows];
    norm = new float[rows];
    screenable = new boolean[rows];
    inflation = 1 + 2 * (dIn + 32) * Rounding.UNIT;
    underflow = dIn * 0x1p-148;
    outliers = read(source);
    Workers.forRanges(
        rows,
        ROW_GRAIN,
        (begin, end) -> {
          Quantiser quantiser = new Quantiser();
          for (int row = begin; row < end; row++) {
            quantiser.quantise(row);
          }
        });
  }

  float value(int row, int dim) {
    return Stripes.get(values[row], dim);
  }

  /** Fills the values and finds the dimensions that stand out most. */
  private int[] read(FloatBuffer source) {
    float[] ratios = new float[dIn];
    Workers.forRanges(
        rows,
        ROW_GRAIN,
        (begin, end) -> {
          float[] lanes = new float[Stripes.length(dIn)];
          for (int row = begin; row < end; row++) {
            values[row] = Stripes.zeros(dIn);
            Stripes.fill(values[row], source, row * dIn, dIn);
            raise(ratios, values[row], lanes);
          }
        });
    return IntStream.range(0, dIn)
        .filter(d -> ratios[d] > 0)
        .boxed()
        .sorted((a, b) -> Float.compare(ratios[b], ratios[a]))
        .limit(MAX_OUTLIERS)
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }

  private void raise(float[] ratios, float[][] row, float[] lanes) {
    float limit = OUTLIER_RATIO * Stripes.sumOfSizes(row, lanes) / dIn;
    if (!(limit > 0)) {
      return;
    }
    for (int s = 0; s < Stripes.COUNT; s++) {
      for (int i = 0; i < lanes.length; i++) {
        float size = Math.abs(row[s][i]);
        if (size > limit) {
          synchronized (ratios) {
            ratios[s * lanes.length + i] = Math.max(ratios[s * lanes.length + i], size / limit);
          }
        }
      }
    }
  }

  /** Quantises rows one after the other with the same working memory. */
  private final class Quantiser {
    private final float[][] coded = Stripes.zeros(dIn);
    private final float[] lanes = new float[Stripes.length(dIn)];
    private final float[] restLanes = lanes.clone();
    private final float[] keptLanes = lanes.clone();
    private final float[] kept = lanes.clone();
    private final float[] rest = lanes.clone();
    private final byte[] code = new byte[Stripes.COUNT * lanes.length];

    void quantise(int row) {
      float[][] x = values[row];
      Stripes.copy(x, coded);
      for (int d : outliers) {
        Stripes.set(coded, d, 0);
      }
      float largest = Stripes.largest(coded);
      float all = largest;
      for (int d : outliers) {
        all = Math.max(all, Math.abs(Stripes.get(x, d)));
      }
      float squares = Stripes.sumOfSquares(x, lanes);
      norm[row] = norm(squares);
      screenable[row] =
          all == 0 && squares == 0 || all > SMALLEST && all < LARGEST && !Float.isNaN(squares);
      boolean hasCodes = screenable[row] && largest > SMALLEST;
      step[row] = hasCodes ? largest / MAX_CODE : 1f;
      Stripes.clear(restLanes);
      Stripes.clear(keptLanes);
      for (int s = 0; s < Stripes.COUNT; s++) {
        encode(coded[s], s * lanes.length, step[row], hasCodes ? 1f / step[row] : 0f);
      }
      codes.put(row * dIn, code, 0, dIn);
      double left = norm(Stripes.sum(restLanes)) + Rounding.dotError(dIn) * norm[row];
      normFactor[row] = Rounding.up(left / step[row] * Rounding.INFLATE);
      residualFactor[row] = norm(Stripes.sum(keptLanes));
    }

    /** Loops so simple that the compiler makes vector instructions of all but one. */
    private void encode(float[] stripe, int position, float unit, float inverse) {
      for (int i = 0; i < kept.length; i++) {
        kept[i] = Math.fma(stripe[i], inverse, ROUNDER) - ROUNDER;
      }
      for (int i = 0; i < kept.length; i++) {
        code[position + i] = (byte) kept[i];
      }
      for (int i = 0; i < kept.length; i++) {
        rest[i] = Math.fma(-unit, kept[i], stripe[i]);
      }
      Stripes.addSquares(rest, restLanes);
      Stripes.addSquares(kept, keptLanes);
    }
  }

  private float norm(float sumOfSquares) {
    return Rounding.up(Math.sqrt(sumOfSquares * inflation + underflow));
  }
}
