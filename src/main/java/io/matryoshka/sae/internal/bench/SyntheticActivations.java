package io.matryoshka.sae.internal.bench;

import io.matryoshka.sae.SAE;
import java.util.SplittableRandom;

/**
 * Activations for an SAE whose model is not at hand: {@code b_dec}, plus the decoder rows of
 * {@value SyntheticSae#ACTIVE} latents with about twice the strength that their thresholds ask for,
 * plus a little noise. How many latents they activate depends on the SAE.
 */
public final class SyntheticActivations {

  private static final double NOISE = 0.02;
  private static final float MIN_STRENGTH = 0.5f;

  private SyntheticActivations() {}

  /**
   * Makes activations.
   *
   * @param sae the SAE that will encode them
   * @param count how many
   * @param seed of all random numbers
   * @return {@code [count, d_in]} row-major
   */
  public static float[] of(SAE sae, int count, long seed) {
    int dIn = sae.dIn();
    float[] x = new float[Math.multiplyExact(count, dIn)];
    float[] bias = sae.decoderBias();
    float[] thresholds = sae.thresholds();
    SplittableRandom random = new SplittableRandom(seed);
    for (int row = 0; row < count; row++) {
      int base = row * dIn;
      for (int d = 0; d < dIn; d++) {
        x[base + d] = bias[d] + (float) (NOISE * (random.nextDouble() - 0.5));
      }
      for (int active = 0; active < SyntheticSae.ACTIVE; active++) {
        int latent = random.nextInt(sae.dSae());
        float least = Math.max(thresholds[latent], MIN_STRENGTH);
        float strength = least * (1.5f + (float) random.nextDouble());
        float[] direction = sae.decoderRows(latent, latent + 1);
        for (int d = 0; d < dIn; d++) {
          x[base + d] += strength * direction[d];
        }
      }
    }
    return x;
  }
}
