package io.matryoshka.sae.kernel;

/**
 * Per-latent numbers of the screening test for one limit vector, with any factor on pre-activations
 * already multiplied in.
 */
final class LatentTerms {

  /** Terms of the bound: norm, residual norm, offset. */
  static final int TERMS = 3;

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

  /** Upper bound of the norm of the row less its approximation. */
  private final float[] residualNorm;

  LatentTerms(EncoderRows rows, float[] bias, float[] scale, float[] limits) {
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
      step[j] = (float) (rows.step[j] * factor);
      norm[j] = Rounding.up(rows.norm[j] * Math.abs(factor) * Rounding.INFLATE);
      residualNorm[j] = Rounding.up(rows.residualNorm[j] * Math.abs(factor) * Rounding.INFLATE);
      double slack = 16 * Rounding.UNIT * (Math.abs(bias[j] * factor) + Math.abs(limits[j]));
      offset[j] = Rounding.up(bias[j] * factor - limits[j] + slack + Float.MIN_NORMAL);
      lowOffset[j] = -Rounding.up(limits[j] - bias[j] * factor + slack + Float.MIN_NORMAL);
    }
  }

  /** {@code [3, d_sae]} terms of the upper bound in code units of each latent. */
  float[] upperTerms() {
    return terms(1, offset);
  }

  /** {@code [3, d_sae]} terms of the lower bound in code units of each latent. */
  float[] lowerTerms() {
    return terms(-1, lowOffset);
  }

  private float[] terms(int sign, float[] offsets) {
    int dSae = step.length;
    float[] terms = new float[TERMS * dSae];
    for (int j = 0; j < dSae; j++) {
      terms[j] = sign * Rounding.up((double) norm[j] / step[j] * Rounding.INFLATE);
      terms[dSae + j] = sign * Rounding.up((double) residualNorm[j] / step[j] * Rounding.INFLATE);
      double shifted = sign * (double) offsets[j] / step[j];
      double inflated = shifted + Math.abs(shifted) * (Rounding.INFLATE - 1);
      terms[2 * dSae + j] = sign * Rounding.up(inflated);
    }
    return terms;
  }
}
