package io.matryoshka.sae.eval;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Measured figures beside those published with an SAE. A difference is measured minus published; it
 * says as much about the activations as about the SAE, since published figures come from other
 * text.
 *
 * @param explainedVariance the published explained variance with all latents, if known
 * @param explainedVarianceDifference pooled explained variance minus the published one, if known
 * @param density how the densities of the latents compare, if published
 */
public record PublishedComparison(
    OptionalDouble explainedVariance,
    OptionalDouble explainedVarianceDifference,
    Optional<DensityComparison> density) {

  /**
   * Checks that nothing is null.
   *
   * @param explainedVariance the published explained variance
   * @param explainedVarianceDifference measured minus published
   * @param density how densities compare
   */
  public PublishedComparison {
    Objects.requireNonNull(explainedVariance, "explainedVariance");
    Objects.requireNonNull(explainedVarianceDifference, "explainedVarianceDifference");
    Objects.requireNonNull(density, "density");
  }

  /**
   * Measured log sparsity, {@code log10(density + 1e-10)}, beside the published one. Correlation
   * and differences are over the latents that fire in both, in factors of 10; they are NaN if there
   * are none.
   *
   * @param firing latents that fire in both
   * @param silent latents that fire in neither (published value at most -9.9)
   * @param onlyMeasured latents that fire here and not in the published figures
   * @param onlyPublished latents that fire in the published figures and not here
   * @param correlation Pearson's correlation, -1 to 1, 1 is best; NaN if either has no variance
   * @param meanAbsoluteDifference mean of {@code |measured - published|}, 0 is best
   * @param maxAbsoluteDifference largest {@code |measured - published|}, 0 is best
   */
  public record DensityComparison(
      int firing,
      int silent,
      int onlyMeasured,
      int onlyPublished,
      double correlation,
      double meanAbsoluteDifference,
      double maxAbsoluteDifference) {}

  static PublishedComparison of(
      Evaluation evaluation, OptionalDouble published, Optional<float[]> logSparsity) {
    double measured = evaluation.full().explainedVariance().pooled();
    return new PublishedComparison(
        published,
        published.isPresent()
            ? OptionalDouble.of(measured - published.getAsDouble())
            : OptionalDouble.empty(),
        logSparsity.map(values -> DensityComparer.compare(evaluation.latents(), values)));
  }
}
