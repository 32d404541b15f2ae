package io.matryoshka.sae.explore;

import io.matryoshka.sae.SAE;

/** Which direction of a latent is compared. */
public enum Direction {
  /** The row of {@code W_dec}: what the latent writes. */
  DECODER {
    @Override
    float[] rows(SAE sae, int from, int to) {
      return sae.decoderRows(from, to);
    }

    @Override
    int width(SAE sae) {
      return sae.config().dOut();
    }
  },
  /** The column of {@code W_enc}: what the latent reads. */
  ENCODER {
    @Override
    float[] rows(SAE sae, int from, int to) {
      return sae.encoderRows(from, to);
    }

    @Override
    int width(SAE sae) {
      return sae.dIn();
    }
  };

  /**
   * Returns the width of a direction: {@code d_in}, or {@code d_out} of what a transcoder writes.
   */
  abstract int width(SAE sae);

  /** Returns {@code [to - from, width]}. */
  abstract float[] rows(SAE sae, int from, int to);
}
