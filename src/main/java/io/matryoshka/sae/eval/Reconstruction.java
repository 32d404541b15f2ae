package io.matryoshka.sae.eval;

/**
 * How close reconstructions are to the activations. All are NaN for no rows.
 *
 * @param squaredError {@code mean_t r_t}, at least 0, in squared units of the activations; lower is
 *     better
 * @param mse {@code mean_t r_t / d_in}, the usual mean squared error, as in PyTorch; at least 0,
 *     lower is better
 * @param saeLensMse {@code mean_t (r_t / N_b)}, "mse" of SAELens 6.18.0 ({@code
 *     sae_lens/evals.py:536}) and SAEBench: divided by the tokens of the batch and not by {@code
 *     d_in}, so it shrinks as batches grow; lower is better
 * @param normalisedMse {@code mean_t (r_t / ||x_t||^2)}, the normalised mean squared error of
 *     openai/sparse_autoencoder ({@code loss.py}); 0 is perfect, 1 is as good as zeros; lower is
 *     better. Zero activations are left out
 * @param errorNorm {@code mean_t ||x_t - y_t||}, "l2_loss" of dictionary_learning, in units of the
 *     activations; lower is better
 * @param cosine {@code mean_t x_t.y_t / (||x_t|| ||y_t||)}, -1 to 1; higher is better. Rows with a
 *     zero vector, for which SAELens gives NaN, are left out
 * @param l2Ratio {@code mean_t ||y_t|| / n_t} with {@code n_t = ||x_t||}, or 1 if that is below
 *     1e-4, "l2_ratio" of SAELens; 1 is unbiased, below 1 is shrinkage
 * @param inputNorm {@code mean_t ||x_t||}, "l2_norm_in" of SAELens, in units of the activations
 * @param outputNorm {@code mean_t ||y_t||}, "l2_norm_out" of SAELens
 * @param relativeBias {@code mean_b (mean_t ||y_t||^2 / mean_t x_t.y_t)}, the relative
 *     reconstruction bias, equation 10 of <a href="https://arxiv.org/abs/2404.16014">Improving
 *     Dictionary Learning with Gated Sparse Autoencoders</a>; 1 is unbiased, below 1 is shrinkage
 */
public record Reconstruction(
    double squaredError,
    double mse,
    double saeLensMse,
    double normalisedMse,
    double errorNorm,
    double cosine,
    double l2Ratio,
    double inputNorm,
    double outputNorm,
    double relativeBias) {

  static Reconstruction of(Totals totals, WidthTotals width) {
    double squaredError = width.value(RunningMetric.SQUARED_ERROR);
    return new Reconstruction(
        squaredError,
        squaredError / totals.inputs.mean().length,
        width.value(RunningMetric.SAELENS_MSE),
        width.value(RunningMetric.NORMALISED_MSE),
        width.value(RunningMetric.ERROR_NORM),
        width.value(RunningMetric.COSINE),
        width.value(RunningMetric.L2_RATIO),
        totals.inputNorm.value(),
        width.value(RunningMetric.OUTPUT_NORM),
        width.value(RunningMetric.RELATIVE_BIAS));
  }
}
