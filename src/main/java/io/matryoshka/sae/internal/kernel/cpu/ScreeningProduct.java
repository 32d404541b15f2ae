package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.internal.kernel.Tuning;

/** With which product the fast engine of the CPU looks at all latents. */
enum ScreeningProduct {
  /** Int8 where it pays, float32 elsewhere. */
  FASTEST {
    @Override
    boolean isInt8(ProductChoice int8, int dIn, int width) {
      return width > Tuning.SMALL_WIDTH && int8.isExact(dIn) && int8.isFast();
    }
  },
  /** Int8 wherever it is exact. */
  INT8 {
    @Override
    boolean isInt8(ProductChoice int8, int dIn, int width) {
      return int8.isExact(dIn);
    }
  },
  /** Always float32. */
  FLOAT32 {
    @Override
    boolean isInt8(ProductChoice int8, int dIn, int width) {
      return false;
    }
  };

  /**
   * Tells whether int8 products screen.
   *
   * @param int8 whether such products pay on this processor
   * @param dIn the width of a model activation
   * @param width leading latents to look at
   */
  abstract boolean isInt8(ProductChoice int8, int dIn, int width);
}
