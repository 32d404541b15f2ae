package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/**
 * What a rule asks of each latent, on the device.
 *
 * @param limit {@code [d_sae]} what an activation must exceed
 * @param high {@code [d_sae]} {@code bias * scale - limit}, raised by the rounding of the sum
 * @param low {@code [d_sae]} the same, lowered
 */
record DeviceLimits(NDArray limit, NDArray high, NDArray low) {

  /** Products that a device flushes to zero: those of a row, of outliers and of the bound. */
  private static final int EXTRA_PRODUCTS = 256;

  static DeviceLimits of(
      Rule rule, float[] bias, float[] scale, float[] threshold, int dIn, NDManager owner) {
    float[] limit = Limits.of(rule, threshold);
    float[] high = new float[limit.length];
    float[] low = new float[limit.length];
    for (int j = 0; j < limit.length; j++) {
      double offset = (double) bias[j] * scale[j];
      double slack =
          64 * Rounding.UNIT * (Math.abs(offset) + Math.abs(limit[j]))
              + (dIn + EXTRA_PRODUCTS)
                  * (double) Float.MIN_NORMAL
                  * Math.max(1, Math.abs(scale[j]));
      high[j] = Rounding.up(offset - limit[j] + slack);
      low[j] = -Rounding.up(limit[j] - offset + slack);
    }
    return new DeviceLimits(owner.create(limit), owner.create(high), owner.create(low));
  }
}
