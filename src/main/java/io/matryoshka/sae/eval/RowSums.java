package io.matryoshka.sae.eval;

/**
 * Sums of each row of a batch for one prefix width.
 *
 * @param squaredError {@code [n]}: {@code ||x - y||^2}
 * @param squaredNorm {@code [n]}: {@code ||y||^2}
 * @param product {@code [n]}: {@code x.y}
 * @param residual moments of {@code x - y} over the finite rows
 */
record RowSums(
    double[] squaredError, double[] squaredNorm, double[] product, VectorMoments residual) {

  RowSums(int rows, int dIn) {
    this(new double[rows], new double[rows], new double[rows], new VectorMoments(dIn));
  }

  boolean isFinite(int row) {
    // Squares of floats cannot overflow a double, so this asks for the elements.
    return Double.isFinite(squaredError[row]) && Double.isFinite(squaredNorm[row]);
  }
}
