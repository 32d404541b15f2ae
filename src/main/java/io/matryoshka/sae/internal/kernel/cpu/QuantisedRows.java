package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.Rounding;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.torch.Workers;
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
  private static final float MIN_SIZE = 0x1p-50f;

  private static final float MAX_SIZE = 0x1p50f;

  private static final int MAX_CODE = 127;

  /** Adding and subtracting it rounds a small float to an integer. */
  private static final float ROUNDER = 0x1.8p23f;

  final int rows;
  final int dIn;

  /** The activations. */
  final ActivationRows x;

  /** {@code [rows, d_in]} int8 codes, 0 on outlier dimensions. */
  final NDArray codes;

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

  private QuantisedRows(ActivationRows x, int[] outliers, NDArray codes) {
    this.x = x;
    this.outliers = outliers;
    this.codes = codes;
    rows = x.rows;
    dIn = x.dIn;
    step = new float[rows];
    normFactor = new float[rows];
    residualFactor = new float[rows];
    norm = new float[rows];
    screenable = new boolean[rows];
  }

  /**
   * Quantises a block.
   *
   * @param x the activations
   * @param scope owns the codes
   */
  static QuantisedRows of(ActivationRows x, NDManager scope) {
    NDArray codes = scope.create(new Shape(x.rows, x.dIn), DataType.INT8);
    QuantisedRows quantised = new QuantisedRows(x, findOutliers(x), codes);
    quantised.quantise();
    return quantised;
  }

  private void quantise() {
    ByteBuffer target = codes.toByteBuffer(true);
    Workers.forRanges(
        rows,
        Tuning.rowGrain(x.dIn),
        (begin, end) -> {
          Quantiser quantiser = new Quantiser(target);
          for (int row = begin; row < end; row++) {
            quantiser.quantise(row);
          }
        });
  }

  /** Finds the dimensions that stand out most. */
  private static int[] findOutliers(ActivationRows x) {
    float[][] max = StripedVector.zeros(x.dIn);
    Workers.forRanges(
        x.rows,
        Tuning.rowGrain(x.dIn),
        (begin, end) -> {
          float[][] ratios = outlierRatios(x, begin, end);
          synchronized (max) {
            StripedVector.raise(max, ratios, 1f);
          }
        });
    int[] found = new int[x.dIn];
    int size = 0;
    for (int d = 0; d < x.dIn; d++) {
      if (StripedVector.get(max, d) > 1) {
        found[size++] = d;
      }
    }
    return size <= MAX_OUTLIERS ? Arrays.copyOf(found, size) : largest(found, size, max);
  }

  /** The dimensions of the largest ratios, rising. */
  private static int[] largest(int[] dims, int size, float[][] ratios) {
    return IntStream.of(dims)
        .limit(size)
        .boxed()
        .sorted((a, b) -> Float.compare(StripedVector.get(ratios, b), StripedVector.get(ratios, a)))
        .limit(MAX_OUTLIERS)
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }

  /**
   * Returns the largest size of each dimension in some rows, in units of what is not yet an
   * outlier.
   */
  private static float[][] outlierRatios(ActivationRows x, int begin, int end) {
    int dIn = x.dIn;
    float[][] ratios = StripedVector.zeros(dIn);
    float[] lanes = new float[StripedVector.length(dIn)];
    for (int r = begin; r < end; r++) {
      float[][] row = x.row(r);
      float limit = OUTLIER_RATIO * StripedVector.sumOfSizes(row, lanes) / dIn;
      if (limit >= Float.MIN_NORMAL && limit < Float.POSITIVE_INFINITY) {
        StripedVector.raise(ratios, row, 1 / limit);
      }
    }
    return ratios;
  }

  /** Quantises rows one after the other with the same working memory. */
  private final class Quantiser {
    private final float[][] values = StripedVector.zeros(dIn);
    private final float[] lanes = new float[StripedVector.length(dIn)];
    private final float[] restLanes = lanes.clone();
    private final float[] codeLanes = lanes.clone();
    private final float[] shifted = lanes.clone();
    private final float[] kept = lanes.clone();
    private final float[] rest = lanes.clone();
    private final byte[] code = new byte[StripedVector.COUNT * lanes.length];
    private final ByteBuffer target;

    Quantiser(ByteBuffer target) {
      this.target = target;
    }

    void quantise(int row) {
      x.copyRow(row, values);
      float squares = StripedVector.sumOfSquares(values, lanes);
      norm[row] = norm(squares);
      float all = 0;
      for (int d : outliers) {
        all = Math.max(all, Math.abs(StripedVector.get(values, d)));
        StripedVector.set(values, d, 0);
      }
      float largest = StripedVector.largest(values, lanes);
      all = Math.max(all, largest);
      screenable[row] =
          all == 0 && squares == 0 || all > MIN_SIZE && all < MAX_SIZE && !Float.isNaN(squares);
      boolean hasCodes = screenable[row] && largest > MIN_SIZE;
      step[row] = hasCodes ? largest / MAX_CODE : 1f;
      StripedVector.clear(restLanes);
      StripedVector.clear(codeLanes);
      for (int s = 0; s < StripedVector.COUNT; s++) {
        encode(values[s], s * lanes.length, step[row], hasCodes ? 1f / step[row] : 0f);
      }
      target.put(row * dIn, code, 0, dIn);
      double left = norm(StripedVector.sum(restLanes)) + Rounding.dotError(dIn) * norm[row];
      normFactor[row] = Rounding.up(left / step[row] * Rounding.INFLATE);
      residualFactor[row] = norm(StripedVector.sum(codeLanes));
    }

    /** Loops so simple that the compiler makes vector instructions of all but one. */
    private void encode(float[] stripe, int position, float unit, float inverse) {
      for (int i = 0; i < shifted.length; i++) {
        shifted[i] = Math.fma(stripe[i], inverse, ROUNDER);
      }
      for (int i = 0; i < shifted.length; i++) {
        // The lowest byte of the float's bits is the code: ROUNDER leaves no fraction.
        code[position + i] = (byte) Float.floatToRawIntBits(shifted[i]);
      }
      for (int i = 0; i < shifted.length; i++) {
        kept[i] = shifted[i] - ROUNDER;
      }
      for (int i = 0; i < shifted.length; i++) {
        rest[i] = Math.fma(-unit, kept[i], stripe[i]);
      }
      StripedVector.addSquares(rest, restLanes);
      StripedVector.addSquares(kept, codeLanes);
    }
  }

  private float norm(float sumOfSquares) {
    return Rounding.norm(sumOfSquares, dIn);
  }
}
