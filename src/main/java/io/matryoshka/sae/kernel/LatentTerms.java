package io.matryoshka.sae.kernel;

/**
 * Per-latent numbers of the screening test for one limit vector, with any factor on pre-activations
 * already multiplied in.
 */
final class LatentTerms {

  /** Rounding of float32 products, relative to the norms of their factors. */
  final double dotError;

  final float[] step;
  final float[] norm;
  final float[] residualNorm;

  /** {@code bias - limit}, raised by the rounding of the sum. */
  final float[] offset;

  /** {@code bias - limit}, lowered by the rounding of the sum. */
  final float[] lowOffset;

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
      step[j] = (float) (rows.step[j] * factor);
      // The product of step and scale is rounded once; the norm term takes that in.
      norm[j] = Rounding.up(rows.norm[j] * Math.abs(factor) * Rounding.INFLATE);
      residualNorm[j] = Rounding.up(rows.residualNorm[j] * Math.abs(factor) * Rounding.INFLATE);
      double slack = 16 * Rounding.UNIT * (Math.abs(bias[j] * factor) + Math.abs(limits[j]));
      offset[j] = Rounding.up(bias[j] * factor - limits[j] + slack + Float.MIN_NORMAL);
      lowOffset[j] = -Rounding.up(limits[j] - bias[j] * factor + slack + Float.MIN_NORMAL);
    }
  }
}
