package io.matryoshka.sae.internal.model;

import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.internal.weights.WeightFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Refuses rows of {@code W_dec} that hold a NaN or an infinity, each when it is first used: a
 * mapped matrix is not read as a whole for the sake of a few rows. Safe for concurrent use.
 */
final class DecoderRowCheck {

  private final WeightFile file;
  private final AtomicIntegerArray checked;

  DecoderRowCheck(WeightFile file) {
    this.file = file;
    checked = new AtomicIntegerArray((file.config().dSae() + Integer.SIZE - 1) / Integer.SIZE);
  }

  /** Checks the rows of some latents. */
  void require(int[] latents) {
    for (int latent : latents) {
      int word = latent / Integer.SIZE;
      int bit = 1 << latent % Integer.SIZE;
      if ((checked.getPlain(word) & bit) == 0) {
        require(latent);
        checked.accumulateAndGet(word, bit, (a, b) -> a | b);
      }
    }
  }

  /** Checks the rows of some consecutive latents. */
  void require(int from, int to) {
    for (int latent = from; latent < to; latent++) {
      require(new int[] {latent});
    }
  }

  private void require(int latent) {
    try {
      file.requireFiniteRow(TensorNames.W_DEC, latent);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
