package io.matryoshka.sae.eval;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.matryoshka.sae.SparseLatents;
import java.util.Arrays;

/**
 * How close a reconstruction is to activations, for arrays that are in memory. The same formulas as
 * those of {@link Evaluator}, with all rows as one evaluation batch; those records document each.
 *
 * <pre>{@code
 * NDArray x = ...;                               // [n, d_in]
 * Metrics metrics = Metrics.of(x, sae.forward(x));
 * metrics.explainedVariance().pooled();          // 1 - sum ||x - y||^2 / sum ||x - mean||^2
 * metrics.reconstruction().mse();                // mean of (x - y)^2
 * metrics.reconstruction().cosine();             // mean over rows of x.y / (||x|| ||y||)
 * }</pre>
 *
 * @param rows rows that count
 * @param nonFiniteRows rows with a NaN or an infinity in either array, which enter nothing
 * @param explainedVariance the share of the variance that is explained; 1 is perfect, 0 is as good
 *     as the mean activation
 * @param reconstruction errors, cosine and norms
 */
public record Metrics(
    long rows,
    long nonFiniteRows,
    ExplainedVariance explainedVariance,
    Reconstruction reconstruction) {

  /**
   * Compares arrays of Java.
   *
   * @param x {@code [n, d_in]} activations, row-major
   * @param reconstruction {@code [n, d_in]}
   * @param dIn width of a row, at least 1
   * @return the metrics, computed in double precision
   * @throws IllegalArgumentException if the arrays differ in length or do not hold whole rows
   */
  public static Metrics of(float[] x, float[] reconstruction, int dIn) {
    if (dIn < 1 || x.length != reconstruction.length || x.length % dIn != 0) {
      throw new IllegalArgumentException(
          ("metrics: expected two arrays of whole rows of d_in = %d, of one length, got %d and %d"
                  + " floats")
              .formatted(dIn, x.length, reconstruction.length));
    }
    int rows = x.length / dIn;
    SparseLatents none = SparseLatents.of(new int[rows + 1], new int[0], new float[0], 1);
    Totals totals = new Totals(new int[] {1}, dIn);
    totals.add(EvaluationBatch.of(x, rows, dIn, none, new float[][] {reconstruction}));
    WidthTotals width = totals.byWidth[0];
    return new Metrics(
        totals.inputs.count(),
        totals.nonFiniteRows,
        ExplainedVariance.of(totals, width),
        Reconstruction.of(totals, width));
  }

  /**
   * Compares arrays of DJL.
   *
   * @param x {@code [..., d_in]} activations, of a floating type on any device; not changed
   * @param reconstruction of the same shape
   * @return the metrics, computed in double precision of the float32 values
   * @throws IllegalArgumentException if the shapes differ or have no dimension
   */
  public static Metrics of(NDArray x, NDArray reconstruction) {
    long[] shape = x.getShape().getShape();
    if (shape.length == 0 || !Arrays.equals(shape, reconstruction.getShape().getShape())) {
      throw new IllegalArgumentException(
          "metrics: expected two arrays of one shape [..., d_in], got %s and %s"
              .formatted(x.getShape(), reconstruction.getShape()));
    }
    return of(floats(x), floats(reconstruction), Math.toIntExact(shape[shape.length - 1]));
  }

  private static float[] floats(NDArray array) {
    try (NDArray copy = array.toType(DataType.FLOAT32, true)) {
      return copy.toFloatArray();
    }
  }
}
