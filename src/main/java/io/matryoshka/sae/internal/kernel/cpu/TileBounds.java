package io.matryoshka.sae.internal.kernel.cpu;

import java.util.Arrays;

/**
 * What is added to the int8 products of a block with one tile before the test, in code units: per
 * row, the sum of the tile's terms (norms, residual norms, offsets, and {@code W_enc} of the
 * outlier dimensions) times the row's factors.
 */
final class TileBounds {

  private final QuantisedRows rows;
  private final float[][] outliers;

  /** What changes with the latents: the terms of upper or of lower bounds. */
  private final float[][] terms;

  private TileBounds(QuantisedRows rows, float[][] terms, float[][] outliers) {
    this.rows = rows;
    this.terms = terms;
    this.outliers = outliers;
  }

  /**
   * Cuts the tile's part out of the numbers of all latents.
   *
   * @param rows the block
   * @param latents numbers of all latents
   * @param upper whether to bound from above, or from below
   * @param tile which latents
   */
  static TileBounds of(QuantisedRows rows, LatentTerms latents, boolean upper, Tile tile) {
    float[][] all = upper ? latents.upper : latents.lower;
    float[][] terms = new float[all.length][];
    for (int t = 0; t < all.length; t++) {
      terms[t] = Arrays.copyOfRange(all[t], tile.first(), tile.end());
    }
    float[][] outliers = new float[rows.outliers.length][tile.count()];
    for (int o = 0; o < outliers.length; o++) {
      latents.weights(rows.outliers[o], tile, outliers[o]);
    }
    return new TileBounds(rows, terms, outliers);
  }

  /**
   * Computes the sums of a row.
   *
   * @param row a row that can be screened
   * @param sums one number per latent of the tile, is overwritten
   */
  void fill(int row, float[] sums) {
    float inverse = 1f / rows.step[row];
    start(
        rows.normFactor[row],
        terms[0],
        rows.residualFactor[row],
        terms[1],
        inverse,
        terms[2],
        sums);
    for (int o = 0; o < outliers.length; o += 2) {
      float factor = rows.x.get(row, rows.outliers[o]) * inverse;
      if (o + 1 < outliers.length) {
        float next = rows.x.get(row, rows.outliers[o + 1]) * inverse;
        add(factor, outliers[o], next, outliers[o + 1], sums);
      } else {
        add(factor, outliers[o], sums);
      }
    }
  }

  static void start(float a, float[] as, float b, float[] bs, float c, float[] cs, float[] sums) {
    for (int j = 0; j < sums.length; j++) {
      sums[j] = Math.fma(c, cs[j], Math.fma(a, as[j], b * bs[j]));
    }
  }

  static void add(float factor, float[] terms, float[] sums) {
    for (int j = 0; j < sums.length; j++) {
      sums[j] = Math.fma(factor, terms[j], sums[j]);
    }
  }

  /** Two at a time, which halves the traffic of the sums. */
  static void add(float a, float[] as, float b, float[] bs, float[] sums) {
    for (int j = 0; j < sums.length; j++) {
      sums[j] = Math.fma(b, bs[j], Math.fma(a, as[j], sums[j]));
    }
  }
}
