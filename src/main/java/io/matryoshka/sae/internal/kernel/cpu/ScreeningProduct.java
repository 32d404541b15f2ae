package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.internal.kernel.Tuning;

/** With which product the fast engine of the CPU looks at all latents. */
enum ScreeningProduct {
  /** Int8 where it pays, float32 elsewhere, and plain Java for small work. */
  FASTEST {
    @Override
    boolean isDirect(long multiplications, long weights) {
      return Tuning.isDirect(multiplications, weights);
    }

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
  /** Always float32, in plain Java. */
  DIRECT {
    @Override
    boolean isDirect(long multiplications, long weights) {
      return true;
    }

    @Override
    boolean isInt8(ProductChoice int8, int dIn, int width) {
      return false;
    }
  },
  /** Always float32, by libtorch. */
  FLOAT32 {
    @Override
    boolean isInt8(ProductChoice int8, int dIn, int width) {
      return false;
    }
  };

  /**
   * Tells whether products in plain Java screen, on the thread of the caller.
   *
   * @param multiplications of the call
   * @param weights of the encoder of the leading latents that it looks at
   */
  boolean isDirect(long multiplications, long weights) {
    return false;
  }

  /**
   * Tells whether int8 products screen.
   *
   * @param int8 whether such products pay on this processor
   * @param dIn the width of a model activation
   * @param width leading latents to look at
   */
  abstract boolean isInt8(ProductChoice int8, int dIn, int width);
}
