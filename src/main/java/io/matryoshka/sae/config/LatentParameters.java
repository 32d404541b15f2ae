package io.matryoshka.sae.config;

import java.util.Arrays;
import java.util.Objects;

/**
 * The numbers that decide which latents are active, and how strongly, {@code [d_sae]} each. With
 * the dot product {@code p = x W_enc} of a latent:
 *
 * <pre>
 *   active      where (p + testBias) * testScale > threshold and the activation is above 0
 *   activation  (p + valueBias) * valueScale
 * </pre>
 *
 * <p>In every architecture but gated SAEs the tested number is the activation itself, and both
 * pairs are the same arrays.
 *
 * @param testBias is added to the dot product before the test
 * @param testScale multiplies that sum
 * @param threshold what the tested number must exceed; zeros where there are no thresholds
 * @param valueBias is added to the dot product for the activation
 * @param valueScale multiplies that sum
 */
public record LatentParameters(
    double[] testBias,
    double[] testScale,
    double[] threshold,
    double[] valueBias,
    double[] valueScale) {

  /** Beyond it a gated SAE's factor {@code exp(r_mag)} leaves the range of float32. */
  private static final double MAX_LOG_SCALE = 80;

  /**
   * Checks that all arrays have one length.
   *
   * @param testBias is added to the dot product before the test
   * @param testScale multiplies that sum
   * @param threshold what the tested number must exceed
   * @param valueBias is added to the dot product for the activation
   * @param valueScale multiplies that sum
   */
  public LatentParameters {
    for (double[] other : new double[][] {testScale, threshold, valueBias, valueScale}) {
      if (other.length != testBias.length) {
        throw new IllegalArgumentException(
            "all parameters must have d_sae = %d entries, got %d"
                .formatted(testBias.length, other.length));
      }
    }
  }

  /**
   * Returns the parameters of latents whose tested number is the activation.
   *
   * @param bias {@code b_enc [d_sae]}
   * @param scale {@code [d_sae]} factor on pre-activations
   * @param threshold {@code [d_sae]}
   * @return the parameters, which keep the arrays
   */
  public static LatentParameters of(double[] bias, double[] scale, double[] threshold) {
    return new LatentParameters(bias, scale, threshold, bias, scale);
  }

  /**
   * Returns the parameters of a gated SAE: {@code f = 1[p + b_gate > 0] relu(exp(r_mag) p +
   * b_mag)}.
   *
   * @param bGate {@code b_gate [d_sae]}
   * @param bMag {@code b_mag [d_sae]}
   * @param rMag {@code r_mag [d_sae]}
   * @return the parameters
   * @throws IllegalArgumentException if {@code exp(r_mag)} does not fit in float32
   * @see <a href="https://arxiv.org/abs/2404.16014">Improving Dictionary Learning with Gated Sparse
   *     Autoencoders, equations 6 and 8</a>
   */
  public static LatentParameters gated(double[] bGate, double[] bMag, double[] rMag) {
    double[] valueScale = new double[rMag.length];
    double[] valueBias = new double[rMag.length];
    for (int j = 0; j < rMag.length; j++) {
      if (Math.abs(rMag[j]) > MAX_LOG_SCALE) {
        throw new IllegalArgumentException(
            "r_mag[%d] must lie in -%.0f..%.0f so that exp(r_mag) fits in float32, got %s"
                .formatted(j, MAX_LOG_SCALE, MAX_LOG_SCALE, rMag[j]));
      }
      valueScale[j] = Math.exp(rMag[j]);
      valueBias[j] = bMag[j] / valueScale[j];
    }
    return new LatentParameters(
        bGate, ones(bGate.length), new double[bGate.length], valueBias, valueScale);
  }

  /**
   * Returns the parameters by which rules rank latents that look at neither thresholds nor gates:
   * the tested number is the activation, which must exceed 0.
   *
   * @return changed parameters
   */
  public LatentParameters byValue() {
    return LatentParameters.of(valueBias, valueScale, new double[threshold.length]);
  }

  /**
   * Returns the parameters of latents that are multiplied by factors, with the same ones active.
   *
   * @param factors {@code [d_sae]}, each above 0
   * @return changed parameters
   */
  public LatentParameters scaled(double[] factors) {
    double[] scale = product(valueScale, factors);
    return isGated()
        ? new LatentParameters(testBias, testScale, threshold, valueBias, scale)
        : of(valueBias, scale, product(threshold, factors));
  }

  private static double[] product(double[] left, double[] right) {
    double[] product = new double[left.length];
    Arrays.setAll(product, j -> left[j] * right[j]);
    return product;
  }

  /**
   * Tells whether the activation is another number than the tested one.
   *
   * @return true for gated SAEs
   */
  public boolean isGated() {
    return testBias != valueBias || testScale != valueScale;
  }

  /**
   * Returns the number of latents.
   *
   * @return {@code d_sae}
   */
  public int dSae() {
    return testBias.length;
  }

  static double[] ones(int count) {
    double[] ones = new double[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LatentParameters o
        && Arrays.equals(testBias, o.testBias)
        && Arrays.equals(testScale, o.testScale)
        && Arrays.equals(threshold, o.threshold)
        && Arrays.equals(valueBias, o.valueBias)
        && Arrays.equals(valueScale, o.valueScale);
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        Arrays.hashCode(testBias), Arrays.hashCode(testScale), Arrays.hashCode(threshold));
  }

  @Override
  public String toString() {
    return "LatentParameters[d_sae=" + dSae() + ", gated=" + isGated() + "]";
  }
}
