package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.Rounding;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsBuilder;
import io.matryoshka.sae.internal.kernel.prepared.LatentNorms;
import io.matryoshka.sae.internal.kernel.prepared.WeightSource;
import java.io.IOException;

/**
 * Per-latent numbers of the bounds for one test, with any factor on pre-activations already
 * multiplied in.
 */
final class LatentTerms {

  private static final float UNIT_WITHOUT_CODES = 0x1p-60f;

  /** Rounding of float32 products, relative to the norms of their factors. */
  final double dotError;

  /** Value of one code unit of the latent's row. */
  final float[] step;

  /** Upper bound of the norm of the latent's row. */
  final float[] norm;

  /** {@code bias - limit}, raised by the rounding of the sum. */
  final float[] offset;

  /** {@code bias - limit}, lowered by the rounding of the sum. */
  final float[] lowOffset;

  /**
   * Terms of the upper bound in code units of each latent: norms, residual norms, offsets, {@code
   * [3][d_sae]}.
   */
  final float[][] upper;

  /** Terms of the lower bound, likewise. */
  final float[][] lower;

  /** Upper bound of the norm of the row less its approximation. */
  private final float[] residualNorm;

  private final WeightSource weights;
  private final float[] scale;

  LatentTerms(EncoderRows rows, WeightSource weights, ActivationTest test) {
    this.weights = weights;
    this.scale = test.scale;
    float[] bias = test.bias;
    float[] limits = test.limit;
    int dSae = rows.dSae;
    dotError = Rounding.dotError(rows.dIn);
    step = new float[dSae];
    norm = new float[dSae];
    residualNorm = new float[dSae];
    offset = new float[dSae];
    lowOffset = new float[dSae];
    for (int j = 0; j < dSae; j++) {
      double factor = scale[j];
      // The product of step and scale is rounded once; the norm term takes that in.
      step[j] = (float) (unit(rows.norms, j) * factor);
      norm[j] = Rounding.up(rows.norms.norm()[j] * Math.abs(factor) * Rounding.INFLATE);
      residualNorm[j] =
          Rounding.up(rows.norms.residualNorm()[j] * Math.abs(factor) * Rounding.INFLATE);
      double slack = 64 * Rounding.UNIT * (Math.abs(bias[j] * factor) + Math.abs(limits[j]));
      offset[j] = Rounding.up(bias[j] * factor - limits[j] + slack + Float.MIN_NORMAL);
      lowOffset[j] = -Rounding.up(limits[j] - bias[j] * factor + slack + Float.MIN_NORMAL);
    }
    upper = terms(1, offset);
    lower = terms(-1, lowOffset);
  }

  /** A row without codes, all 0, may have any unit; a tiny one makes bounds of many units. */
  private static float unit(LatentNorms norms, int latent) {
    boolean coded = norms.residualNorm()[latent] < norms.norm()[latent];
    return coded ? norms.step()[latent] : UNIT_WITHOUT_CODES;
  }

  /** Weights of a tile's latents for one dimension, in code units of each latent. */
  void weights(int dim, Tile tile, float[] target) {
    try {
      weights.read((long) dim * step.length + tile.first(), target, target.length);
    } catch (IOException e) {
      throw EncoderRowsBuilder.unreadable(e);
    }
    for (int j = 0; j < target.length; j++) {
      int latent = tile.first() + j;
      target[j] *= scale[latent] / step[latent];
    }
  }

  private float[][] terms(int sign, float[] offsets) {
    int dSae = step.length;
    float[][] terms = new float[3][dSae];
    for (int j = 0; j < dSae; j++) {
      terms[0][j] = sign * Rounding.up((double) norm[j] / step[j] * Rounding.INFLATE);
      terms[1][j] = sign * Rounding.up((double) residualNorm[j] / step[j] * Rounding.INFLATE);
      double shifted = sign * (double) offsets[j] / step[j];
      double inflated = shifted + Math.abs(shifted) * (Rounding.INFLATE - 1);
      terms[2][j] = sign * Rounding.up(inflated);
    }
    return terms;
  }
}
