package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/**
 * What a rule asks of each latent, on the device.
 *
 * @param terms {@code [d_sae, 3]} bias, scale and what an activation must exceed
 * @param high {@code [d_sae]} {@code bias * scale - limit}, raised by the rounding of the sum
 * @param low {@code [d_sae]} the same, lowered
 */
record DeviceLimits(NDArray terms, NDArray high, NDArray low) {

  private static final int TERMS = 3;

  /** Products that a device flushes to zero: those of a row, of outliers and of the bound. */
  private static final int EXTRA_PRODUCTS = 256;

  static DeviceLimits of(
      Rule rule, float[] bias, float[] scale, float[] threshold, int dIn, NDManager owner) {
    float[] limit = Limits.of(rule, threshold);
    float[] terms = new float[limit.length * TERMS];
    float[] high = new float[limit.length];
    float[] low = new float[limit.length];
    for (int j = 0; j < limit.length; j++) {
      terms[j * TERMS] = bias[j];
      terms[j * TERMS + 1] = scale[j];
      terms[j * TERMS + 2] = limit[j];
      double offset = (double) bias[j] * scale[j];
      double slack =
          64 * Rounding.UNIT * (Math.abs(offset) + Math.abs(limit[j]))
              + (dIn + EXTRA_PRODUCTS)
                  * (double) Float.MIN_NORMAL
                  * Math.max(1, Math.abs(scale[j]));
      high[j] = Rounding.up(offset - limit[j] + slack);
      low[j] = -Rounding.up(limit[j] - offset + slack);
    }
    return new DeviceLimits(
        owner.create(terms, new Shape(limit.length, TERMS)), owner.create(high), owner.create(low));
  }
}
