package io.matryoshka.sae.internal.kernel;

import io.matryoshka.sae.config.LatentParameters;
import java.util.Arrays;

/**
 * Which dot product makes a latent active under a rule of selection, and its activation then, in
 * float32; {@link LatentParameters} has the formulas. Rules other than the threshold rule rank
 * activations, whatever thresholds and gates say.
 */
public final class ActivationTest {

  /** {@code [d_sae]} what is added to the dot product before the test, and multiplies that sum. */
  public final float[] bias;

  public final float[] scale;

  /** {@code [d_sae]} what the tested number must exceed, at least 0 without a gate. */
  public final float[] limit;

  /** {@code [d_sae]} the same for the activation; of most SAEs the same arrays. */
  public final float[] valueBias;

  public final float[] valueScale;

  private final boolean gated;

  private ActivationTest(
      float[] bias, float[] scale, float[] limit, float[] valueBias, float[] valueScale) {
    this.bias = bias;
    this.scale = scale;
    this.limit = limit;
    this.valueBias = valueBias;
    this.valueScale = valueScale;
    this.gated = bias != valueBias || scale != valueScale;
  }

  /**
   * Returns the test of a rule.
   *
   * @param all the parameters of the SAE
   * @param rule which pre-activations become active
   * @return the test; that of a top-k rule lets all activations above 0 pass
   */
  public static ActivationTest of(LatentParameters all, SelectionRule rule) {
    boolean byThreshold = rule.kind() == SelectionRule.Kind.THRESHOLD;
    LatentParameters parameters = byThreshold ? all : all.byValue();
    float[] limit = EffectiveThresholds.of(rule, floats(all.threshold()));
    float[] bias = floats(parameters.testBias());
    float[] scale = floats(parameters.testScale());
    return parameters.isGated()
        ? new ActivationTest(
            bias, scale, limit, floats(parameters.valueBias()), floats(parameters.valueScale()))
        : new ActivationTest(bias, scale, limit, bias, scale);
  }

  /**
   * Raises what all latents must exceed.
   *
   * @param floor at least 0
   * @return a changed copy
   */
  public ActivationTest withLimit(float floor) {
    float[] limits = new float[limit.length];
    Arrays.fill(limits, floor);
    return new ActivationTest(bias, scale, limits, valueBias, valueScale);
  }

  /** Tells whether the activation is another number than the tested one. */
  public boolean isGated() {
    return gated;
  }

  /**
   * Computes an activation.
   *
   * @param dot the dot product of a row with a latent
   * @param latent index of the latent
   * @return the activation, 0 where the latent is not active; NaN stays
   */
  public float activation(float dot, int latent) {
    float tested = (dot + bias[latent]) * scale[latent];
    if (!EffectiveThresholds.passes(tested, limit[latent])) {
      return 0f;
    }
    if (!gated) {
      return tested;
    }
    float value = (dot + valueBias[latent]) * valueScale[latent];
    return EffectiveThresholds.passes(value, 0f) ? value : 0f;
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}
