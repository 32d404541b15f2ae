package io.matryoshka.sae.eval;

/**
 * The share of the variance of the activations that a reconstruction explains, in the variants in
 * use. All are at most 1 where a source's formula is right; 1 is a perfect reconstruction, 0 is as
 * good as the mean activation, negative is worse. Higher is better. All are NaN for no rows and for
 * activations without variance. Compare only figures of the same variant.
 *
 * @param pooled {@code 1 - sum_t r_t / sum_t ||x_t - xbar||^2} with the mean of all rows: what
 *     SAELens means by its new explained variance ("explained_variance", as corrected in pull
 *     request 665 of decoderesearch/SAELens), and the default here
 * @param legacy {@code mean_t (1 - r_t / ||x_t - xbar_b||^2)}, "explained_variance_legacy" of
 *     SAELens 6.18 ({@code sae_lens/evals.py}) and SAEBench: a ratio per row, then the mean, so a
 *     row near the mean of its batch weighs heavily
 * @param asCoded {@code 1 - R / (S - (S / d_in)^2)} with {@code R = mean_b mean_t r_t} and {@code S
 *     = mean_b mean_t ||x_t||^2}, "explained_variance" as coded in SAELens 6.18.0 ({@code
 *     sae_lens/evals.py:548}) and SAEBench ({@code evals/core/main.py:582}): a known fault, issue
 *     659 of SAELens. Near 1 for activations with a large mean; above 1 if {@code S > d_in^2}
 * @param dictionaryLearning {@code mean_b (1 - sum_d Var_t(x_d - y_d) / sum_d Var_t(x_d))} with
 *     variances divided by {@code N_b - 1}, "frac_variance_explained" of dictionary_learning
 *     ({@code evaluation.py:201}): a constant offset of the reconstruction costs nothing
 * @param sparsify {@code 1 - mean_b (sum_t r_t / sum_t ||x_t - xbar_b||^2)}: 1 minus the "fvu" of
 *     sparsify ({@code sparse_coder.py:228})
 */
public record ExplainedVariance(
    double pooled, double legacy, double asCoded, double dictionaryLearning, double sparsify) {

  static ExplainedVariance of(Totals totals, WidthTotals width) {
    double meanError = width.value(RunningMetric.SQUARED_ERROR);
    return new ExplainedVariance(
        oneMinus(meanError, totals.inputs.variance()),
        width.value(RunningMetric.LEGACY),
        oneMinus(width.value(RunningMetric.BATCH_SQUARED_ERROR), asCodedVariance(totals)),
        width.value(RunningMetric.DICTIONARY_LEARNING),
        1 - width.value(RunningMetric.FVU));
  }

  private static double asCodedVariance(Totals totals) {
    double energy = totals.batchEnergy.value();
    double perDimension = energy / totals.inputs.mean().length;
    return energy - perDimension * perDimension;
  }

  private static double oneMinus(double error, double variance) {
    return variance == 0 ? Double.NaN : 1 - error / variance;
  }
}
