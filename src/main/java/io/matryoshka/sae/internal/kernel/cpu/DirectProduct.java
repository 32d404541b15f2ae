package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsBuilder;
import io.matryoshka.sae.internal.kernel.prepared.WeightSource;
import java.io.IOException;
import java.util.Arrays;

/** Products of rows with the leading latents in plain Java, over the columns of {@code W_enc}. */
final class DirectProduct {

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

  /** The length of a row that can be multiplied: {@code d_in}, with zeros behind. */
  static int length(int dIn) {
    return (dIn + COLUMNS - 1) / COLUMNS * COLUMNS;
  }

  /**
   * Multiplies rows, which share the reading of the weights.
   *
   * @param rows {@link #length} numbers each
   * @param count how many rows
   * @param sums get the products of each row with as many latents as they are long
   */
  void multiply(float[][] rows, int count, float[][] sums) {
    float[][] w = columns(sums[0].length);
    for (int r = 0; r < count; r++) {
      Arrays.fill(sums[r], 0f);
    }
    for (int d = 0; d < w.length; d += COLUMNS) {
      for (int r = 0; r < count; r++) {
        float[] x = rows[r];
        add(x[d], w[d], x[d + 1], w[d + 1], x[d + 2], w[d + 2], x[d + 3], w[d + 3], sums[r]);
      }
    }
  }

  /** Four columns at a time, which halves the traffic of the sums and still compiles to vectors. */
  static void add(
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
      float[][] columns = new float[length(dIn)][width];
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
