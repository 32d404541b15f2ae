package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsBuilder;
import io.matryoshka.sae.internal.kernel.prepared.WeightSource;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Products of few rows in plain Java, on the thread of the caller: for small work, handing it to
 * the workers and to libtorch would take longer than the work itself.
 */
final class DirectProduct implements FloatProduct {

  private static final int COLUMNS = 4;

  private final WeightSource weights;
  private final int dIn;
  private final int dSae;

  /** {@code W_enc} of the leading latents that were asked for, {@code [d_in][latents]}. */
  private volatile float[][] kept = new float[0][0];

  /**
   * Makes the product; nothing is read yet.
   *
   * @param weights {@code W_enc [d_in, d_sae]}
   * @param dIn the width of a model activation
   * @param dSae the number of latents
   */
  DirectProduct(WeightSource weights, int dIn, int dSae) {
    this.weights = weights;
    this.dIn = dIn;
    this.dSae = dSae;
  }

  @Override
  public Groups groups(ActivationRows x, int groupRows, NDManager scope) {
    return (group, tile, taskScope) -> {
      int first = group * groupRows;
      return multiply(x, first, Math.min(x.rows, first + groupRows), tile);
    };
  }

  private FloatBuffer multiply(ActivationRows x, int begin, int end, Tile tile) {
    if (tile.first() != 0) {
      throw new IllegalArgumentException("small work is one tile, got one from " + tile.first());
    }
    float[][] w = columns(tile.count());
    float[] row = new float[w.length];
    float[] sums = new float[tile.count()];
    float[] products = new float[(end - begin) * sums.length];
    for (int r = begin; r < end; r++) {
      x.copyRow(r, row);
      Arrays.fill(sums, 0f);
      for (int d = 0; d < w.length; d += COLUMNS) {
        add(row[d], w[d], row[d + 1], w[d + 1], row[d + 2], w[d + 2], row[d + 3], w[d + 3], sums);
      }
      System.arraycopy(sums, 0, products, (r - begin) * sums.length, sums.length);
    }
    return FloatBuffer.wrap(products);
  }

  /** Four columns at a time, which halves the traffic of the sums and still compiles to vectors. */
  private static void add(
      float a,
      float[] as,
      float b,
      float[] bs,
      float c,
      float[] cs,
      float d,
      float[] ds,
      float[] sums) {
    for (int j = 0; j < sums.length; j++) {
      float sum = Math.fma(b, bs[j], Math.fma(a, as[j], sums[j]));
      sums[j] = Math.fma(d, ds[j], Math.fma(c, cs[j], sum));
    }
  }

  /** Rows of {@code W_enc}, at least so wide, as many as a multiple of {@value #COLUMNS}. */
  private float[][] columns(int width) {
    float[][] found = kept;
    return found.length > 0 && found[0].length >= width ? found : read(width);
  }

  private synchronized float[][] read(int width) {
    if (kept.length == 0 || kept[0].length < width) {
      float[][] columns = new float[(dIn + COLUMNS - 1) / COLUMNS * COLUMNS][width];
      try {
        for (int d = 0; d < dIn; d++) {
          weights.read((long) d * dSae, columns[d], width);
        }
      } catch (IOException e) {
        throw EncoderRowsBuilder.unreadable(e);
      }
      kept = columns;
    }
    return kept;
  }
}
