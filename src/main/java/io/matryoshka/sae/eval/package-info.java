/**
 * Metrics of an SAE on a stream of model activations, for every prefix width, in one pass.
 *
 * <p>{@link io.matryoshka.sae.eval.Evaluator} takes activations in pieces of any size and gives an
 * {@link io.matryoshka.sae.eval.Evaluation}. Metrics that need the language model (cross-entropy,
 * KL divergence) are not here.
 *
 * <p>The notation of all formulas: row {@code t} is one token, {@code x_t [d_in]} its model
 * activation, {@code y_t} its reconstruction with some prefix width, {@code r_t = ||x_t - y_t||^2},
 * {@code f_t} its latents below that width. {@code mean_t} is over the counted rows of all
 * evaluation batches together, {@code mean_b} over batches, each batch with the same weight; {@code
 * xbar_b} is the mean activation of batch {@code b} and {@code N_b} its number of counted rows.
 * Where a formula would divide by 0 for a row or a batch, that row or batch is left out of the
 * mean; a mean of nothing is NaN.
 *
 * <p>No method of this package takes or returns {@code null}; an absent value is an {@link
 * java.util.Optional}.
 */
package io.matryoshka.sae.eval;
