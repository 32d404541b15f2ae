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
  },
  /** The column of {@code W_enc}: what the latent reads. */
  ENCODER {
    @Override
    float[] rows(SAE sae, int from, int to) {
      return sae.encoderRows(from, to);
    }
  };

  /** Returns {@code [to - from, d_in]}. */
  abstract float[] rows(SAE sae, int from, int to);
}
