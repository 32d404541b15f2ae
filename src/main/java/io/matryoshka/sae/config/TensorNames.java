package io.matryoshka.sae.config;

/** Names of the tensors of an SAE, as SAELens writes them. */
public final class TensorNames {

  /** Encoder {@code [d_in, d_sae]}. */
  public static final String W_ENC = "W_enc";

  /** Decoder {@code [d_sae, d_in]}, of a transcoder {@code [d_sae, d_out]}. */
  public static final String W_DEC = "W_dec";

  /** Encoder bias {@code [d_sae]}. */
  public static final String B_ENC = "b_enc";

  /** Decoder bias {@code [d_in]}, of a transcoder {@code [d_out]}. */
  public static final String B_DEC = "b_dec";

  /** Thresholds {@code [d_sae]}. */
  public static final String THRESHOLD = "threshold";

  /** Bias of the gate {@code [d_sae]}. */
  public static final String B_GATE = "b_gate";

  /** Bias of the magnitude {@code [d_sae]}. */
  public static final String B_MAG = "b_mag";

  /** Logarithm of the magnitude's factor {@code [d_sae]}. */
  public static final String R_MAG = "r_mag";

  /** The one threshold of all latents in a checkpoint of a BatchTopK training, a scalar. */
  public static final String TOPK_THRESHOLD = "topk_threshold";

  /**
   * Skip connection of a transcoder; here {@code [d_in, d_out]}, the transpose of SAELens' file.
   */
  public static final String W_SKIP = "W_skip";

  /** May be there as well, all ones. */
  public static final String SCALING_FACTOR = "scaling_factor";

  private TensorNames() {}
}
