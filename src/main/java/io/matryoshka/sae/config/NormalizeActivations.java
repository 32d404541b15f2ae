package io.matryoshka.sae.config;

import java.util.Arrays;
import java.util.Optional;

/**
 * How an SAE normalises activations before encoding and undoes it after decoding.
 *
 * @see <a href="https://github.com/decoderesearch/SAELens">SAELens 6.18.0, sae_lens/saes/sae.py</a>
 */
public enum NormalizeActivations {
  /** Nothing is done. */
  NONE("none"),
  /**
   * Nothing is done at run time; a release may give a factor that is folded into the weights at
   * load.
   */
  EXPECTED_AVERAGE_ONLY_IN("expected_average_only_in"),
  /** Each token is scaled to the norm {@code sqrt(d_in)}; decode scales back. */
  CONSTANT_NORM_RESCALE("constant_norm_rescale"),
  /**
   * Each token is centred and divided by its standard deviation (over {@code d_in}, unbiased) plus
   * 1e-5; decode multiplies by the deviation and adds the mean.
   */
  LAYER_NORM("layer_norm");

  private final String key;

  NormalizeActivations(String key) {
    this.key = key;
  }

  /**
   * Returns the name in {@code cfg.json}.
   *
   * @return such as {@code layer_norm}
   */
  public String key() {
    return key;
  }

  /**
   * Tells whether decoding needs numbers that encoding took from each token.
   *
   * @return true for {@link #CONSTANT_NORM_RESCALE} and {@link #LAYER_NORM}
   */
  public boolean isPerToken() {
    return this == CONSTANT_NORM_RESCALE || this == LAYER_NORM;
  }

  static Optional<NormalizeActivations> find(String key) {
    return Arrays.stream(values()).filter(n -> n.key.equals(key)).findFirst();
  }
}
