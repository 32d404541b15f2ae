package io.matryoshka.sae.internal.kernel.device;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.Rounding;

/**
 * What a rule asks of each latent, on the device.
 *
 * @param terms {@code [d_sae, 3]} bias, scale and what the tested number must exceed; with a gate
 *     {@code [d_sae, 5]}, followed by bias and scale of the activation
 * @param high {@code [d_sae]} {@code bias * scale - limit}, raised by the rounding of the sum
 * @param low {@code [d_sae]} the same, lowered
 * @param gated whether the activation is another number than the tested one
 */
record DeviceLatentTerms(NDArray terms, NDArray high, NDArray low, boolean gated) {

  private static final int TEST_TERMS = 3;
  private static final int VALUE_TERMS = 2;

  /** Products that a device flushes to zero: those of a row, of outliers and of the bound. */
  private static final int EXTRA_PRODUCTS = 256;

  static DeviceLatentTerms of(ActivationTest test, int dIn, NDManager owner) {
    int dSae = test.limit.length;
    int columns = TEST_TERMS + (test.isGated() ? VALUE_TERMS : 0);
    float[] terms = new float[dSae * columns];
    float[] high = new float[dSae];
    float[] low = new float[dSae];
    for (int j = 0; j < dSae; j++) {
      float limit = test.limit[j];
      float scale = test.scale[j];
      terms[j * columns] = test.bias[j];
      terms[j * columns + 1] = scale;
      terms[j * columns + 2] = limit;
      if (test.isGated()) {
        terms[j * columns + TEST_TERMS] = test.valueBias[j];
        terms[j * columns + TEST_TERMS + 1] = test.valueScale[j];
      }
      double offset = (double) test.bias[j] * scale;
      double slack =
          64 * Rounding.UNIT * (Math.abs(offset) + Math.abs(limit))
              + (dIn + EXTRA_PRODUCTS) * (double) Float.MIN_NORMAL * Math.max(1, Math.abs(scale));
      high[j] = Rounding.up(offset - limit + slack);
      low[j] = -Rounding.up(limit - offset + slack);
    }
    return new DeviceLatentTerms(
        owner.create(terms, new Shape(dSae, columns)),
        owner.create(high),
        owner.create(low),
        test.isGated());
  }
}
