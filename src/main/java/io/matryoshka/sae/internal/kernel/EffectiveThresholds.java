package io.matryoshka.sae.internal.kernel;

/** What a pre-activation must exceed, per latent. */
public final class EffectiveThresholds {

  private EffectiveThresholds() {}

  /**
   * Returns {@code max(threshold, 0)} for the threshold rule, 0 for the others: ReLU lets nothing
   * else through.
   */
  public static float[] of(SelectionRule rule, float[] threshold) {
    float[] limits = new float[threshold.length];
    if (rule.kind() == SelectionRule.Kind.THRESHOLD) {
      for (int j = 0; j < limits.length; j++) {
        limits[j] = Math.max(threshold[j], 0f);
      }
    }
    return limits;
  }

  /** JumpReLU's test, which lets NaN through: {@code relu(NaN) * 0} is NaN as well. */
  public static boolean passes(float preActivation, float limit) {
    return preActivation > limit || Float.isNaN(preActivation);
  }
}
