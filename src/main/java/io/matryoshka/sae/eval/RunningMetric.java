package io.matryoshka.sae.eval;

/** The means that are kept for each prefix width. */
enum RunningMetric {
  /** {@code r_t} over rows. */
  SQUARED_ERROR,
  /** {@code sqrt(r_t)} over rows. */
  ERROR_NORM,
  /** {@code r_t / N_b} over rows. */
  SAELENS_MSE,
  /** {@code r_t / ||x_t||^2} over rows. */
  NORMALISED_MSE,
  /** {@code mean_t r_t} of a batch, over batches. */
  BATCH_SQUARED_ERROR,
  /** {@code 1 - r_t / ||x_t - xbar_b||^2} over rows. */
  LEGACY,
  /** {@code sum_t r_t / sum_t ||x_t - xbar_b||^2} of a batch, over batches. */
  FVU,
  /** {@code 1 - sum_d Var_t(x_d - y_d) / sum_d Var_t(x_d)} of a batch, over batches. */
  DICTIONARY_LEARNING,
  /** {@code x.y / (||x|| ||y||)} over rows. */
  COSINE,
  /** {@code ||y|| / ||x||} over rows. */
  L2_RATIO,
  /** {@code ||y||} over rows. */
  OUTPUT_NORM,
  /** {@code mean_t ||y||^2 / mean_t (x.y)} of a batch, over batches. */
  RELATIVE_BIAS,
  /** Active latents over rows. */
  L0,
  /** Sum of activations over rows. */
  L1
}
