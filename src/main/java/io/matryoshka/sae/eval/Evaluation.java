package io.matryoshka.sae.eval;

import io.matryoshka.sae.registry.SaeEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The metrics of an SAE on a set of activations. Immutable.
 *
 * @param rows counted rows: neither masked nor with a NaN or infinity
 * @param maskedRows rows that the caller's mask left out
 * @param nonFiniteRows unmasked rows left out because the activation or one of its reconstructions
 *     holds a NaN or an infinity
 * @param dIn width of an activation
 * @param batchRows rows of an evaluation batch, for the metrics that are defined per batch
 * @param totalVariance {@code mean_t ||x_t - xbar||^2}, in squared units of the activations; NaN
 *     for no rows
 * @param widths metrics for each prefix width, rising
 * @param levels what each level adds, in the order of {@code widths}
 * @param latents how often and how strongly each latent fired
 * @param outliers the few rows that hold nearly all of the squared norm; empty if there are none
 */
public record Evaluation(
    long rows,
    long maskedRows,
    long nonFiniteRows,
    int dIn,
    int batchRows,
    double totalVariance,
    List<WidthMetrics> widths,
    List<LevelMetrics> levels,
    LatentStatistics latents,
    Optional<NormOutliers> outliers) {

  /**
   * Copies the lists.
   *
   * @param rows counted rows
   * @param maskedRows rows masked out
   * @param nonFiniteRows rows with a NaN or infinity
   * @param dIn width of an activation
   * @param batchRows rows of an evaluation batch
   * @param totalVariance variance of the activations, summed over dimensions
   * @param widths metrics for each prefix width
   * @param levels what each level adds
   * @param latents statistics of each latent
   * @param outliers the few rows that hold nearly all of the squared norm
   */
  public Evaluation {
    widths = List.copyOf(widths);
    levels = List.copyOf(levels);
    Objects.requireNonNull(latents, "latents");
    Objects.requireNonNull(outliers, "outliers");
  }

  /**
   * Returns the metrics with all latents.
   *
   * @return the last of {@link #widths}
   */
  public WidthMetrics full() {
    return widths.get(widths.size() - 1);
  }

  /**
   * Compares with the figures published for the SAE.
   *
   * @param entry the registry's entry for the SAE
   * @param logSparsity {@code SAE.logSparsity()}, if published
   * @return the comparison
   */
  public PublishedComparison compareWith(SaeEntry entry, Optional<float[]> logSparsity) {
    return PublishedComparison.of(this, entry.explainedVariance(), logSparsity);
  }

  static Evaluation of(Totals totals, int batchRows) {
    long rows = totals.inputs.count();
    LatentStatistics latents = new LatentStatistics(rows, totals.latents);
    List<WidthMetrics> widths = new ArrayList<>();
    for (int level = 0; level < totals.widths.length; level++) {
      WidthTotals width = totals.byWidth[level];
      widths.add(
          new WidthMetrics(
              totals.widths[level],
              ExplainedVariance.of(totals, width),
              Reconstruction.of(totals, width),
              Sparsity.of(width),
              Liveness.of(latents, 0, totals.widths[level])));
    }
    return new Evaluation(
        rows,
        totals.maskedRows,
        totals.nonFiniteRows,
        totals.inputs.mean().length,
        batchRows,
        totals.inputs.variance(),
        widths,
        levels(widths, latents),
        latents,
        totals.energies.outliers());
  }

  private static List<LevelMetrics> levels(List<WidthMetrics> widths, LatentStatistics latents) {
    WidthMetrics full = widths.get(widths.size() - 1);
    List<LevelMetrics> levels = new ArrayList<>();
    int from = 0;
    double l0Before = 0;
    double explainedBefore = 0;
    for (WidthMetrics width : widths) {
      double l0 = width.sparsity().l0() - l0Before;
      double gain = width.explainedVariance().pooled() - explainedBefore;
      levels.add(
          new LevelMetrics(
              from,
              width.width(),
              l0,
              share(l0, full.sparsity().l0()),
              gain,
              share(gain, full.explainedVariance().pooled()),
              Liveness.of(latents, from, width.width())));
      from = width.width();
      l0Before = width.sparsity().l0();
      explainedBefore = width.explainedVariance().pooled();
    }
    return levels;
  }

  private static double share(double part, double whole) {
    return whole == 0 ? Double.NaN : part / whole;
  }
}
