package io.matryoshka.sae.explore;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/** Some directions of an SAE, as they are and scaled to norm 1. */
final class UnitRows {

  final int count;
  private final int dIn;
  private final float[] rows;
  private final double[] norms;

  UnitRows(float[] rows, int dIn) {
    this.rows = rows;
    this.dIn = dIn;
    count = rows.length / dIn;
    norms = new double[count];
    for (int i = 0; i < count; i++) {
      norms[i] = Math.sqrt(dot(rows, i, rows, i, dIn));
    }
  }

  /** False for the zero vector and for one with a NaN or an infinity, which have no direction. */
  boolean hasDirection(int row) {
    return norms[row] > 0 && Double.isFinite(norms[row]);
  }

  /** Cosine in double precision; both must have a direction. */
  double cosine(int row, UnitRows other, int otherRow) {
    return dot(rows, row, other.rows, otherRow, dIn) / (norms[row] * other.norms[otherRow]);
  }

  /** Cosines of all pairs in float, {@code [count, other.count]}; 0 without a direction. */
  float[] cosines(UnitRows other, NDManager manager) {
    try (NDManager scope = manager.newSubManager()) {
      return scaled(scope).matMul(other.scaled(scope).transpose()).toFloatArray();
    }
  }

  private NDArray scaled(NDManager scope) {
    float[] unit = new float[rows.length];
    for (int i = 0; i < count; i++) {
      for (int d = 0; d < dIn && hasDirection(i); d++) {
        unit[i * dIn + d] = (float) (rows[i * dIn + d] / norms[i]);
      }
    }
    return scope.create(unit, new Shape(count, dIn));
  }

  /** Four sums side by side let the processor overlap the additions. */
  static double dot(float[] a, int rowA, float[] b, int rowB, int dIn) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = rowA * dIn;
    int j = rowB * dIn;
    int end = i + dIn - 3;
    for (; i < end; i += 4, j += 4) {
      s0 += (double) a[i] * b[j];
      s1 += (double) a[i + 1] * b[j + 1];
      s2 += (double) a[i + 2] * b[j + 2];
      s3 += (double) a[i + 3] * b[j + 3];
    }
    for (end += 3; i < end; i++, j++) {
      s0 += (double) a[i] * b[j];
    }
    return s0 + s1 + (s2 + s3);
  }
}
