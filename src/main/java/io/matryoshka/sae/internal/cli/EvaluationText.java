package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.LevelMetrics;
import io.matryoshka.sae.eval.PublishedComparison;
import io.matryoshka.sae.eval.PublishedComparison.DensityComparison;
import io.matryoshka.sae.eval.WidthMetrics;

/** An evaluation for people at a terminal. */
final class EvaluationText {

  private EvaluationText() {}

  static void print(EvaluationReport report, Output output) {
    Evaluation evaluation = report.evaluation();
    output.line(report.name());
    output.line(
        "%d %s counted, %d masked out, %d not finite"
            .formatted(
                evaluation.rows(),
                evaluation.rows() == 1 ? "row" : "rows",
                evaluation.maskedRows(),
                evaluation.nonFiniteRows()));
    output.line("");
    output.table(widths(evaluation));
    output.line("");
    output.table(levels(evaluation));
    report
        .loss()
        .ifPresent(
            loss -> {
              output.line("");
              LossText.print(loss, output);
            });
    published(report.published(), evaluation, output);
  }

  private static TextTable widths(Evaluation evaluation) {
    TextTable table =
        TextTable.of(
            ">width",
            ">explained variance",
            ">MSE",
            ">cosine",
            ">L2 ratio",
            ">bias",
            ">L0",
            ">L1",
            ">alive");
    for (WidthMetrics width : evaluation.widths()) {
      table.row(
          width.width(),
          number(width.explainedVariance().pooled(), 4),
          number(width.reconstruction().mse(), 5),
          number(width.reconstruction().cosine(), 4),
          number(width.reconstruction().l2Ratio(), 4),
          number(width.reconstruction().relativeBias(), 4),
          number(width.sparsity().l0(), 2),
          number(width.sparsity().l1(), 2),
          percent(width.liveness().alive()));
    }
    return table;
  }

  private static TextTable levels(Evaluation evaluation) {
    TextTable table =
        TextTable.of(
            "level",
            "latents",
            ">L0",
            ">share of L0",
            ">explained variance added",
            ">share of that",
            ">dead");
    int level = 0;
    for (LevelMetrics metrics : evaluation.levels()) {
      table.row(
          level++,
          metrics.from() + "-" + (metrics.to() - 1),
          number(metrics.l0(), 2),
          percent(metrics.l0Share()),
          number(metrics.explainedVarianceGain(), 4),
          percent(metrics.explainedVarianceShare()),
          percent(metrics.liveness().dead()));
    }
    return table;
  }

  private static void published(
      PublishedComparison comparison, Evaluation evaluation, Output output) {
    if (comparison.explainedVariance().isPresent()) {
      output.line("");
      output.line(
          "published explained variance %s, measured %s"
              .formatted(
                  number(comparison.explainedVariance().getAsDouble(), 4),
                  number(evaluation.full().explainedVariance().pooled(), 4)));
    }
    if (comparison.density().isPresent()) {
      DensityComparison density = comparison.density().get();
      output.line(
          "published log sparsity: correlation %s over %d latents that fire in both,"
                  .formatted(number(density.correlation(), 3), density.firing())
              + " mean difference %s; %d fire here only, %d there only, %d in neither"
                  .formatted(
                      number(density.meanAbsoluteDifference(), 3),
                      density.onlyMeasured(),
                      density.onlyPublished(),
                      density.silent()));
    }
  }

  private static String number(double value, int digits) {
    return Double.isFinite(value) ? Numbers.fixed(value, digits) : "-";
  }

  private static String percent(double share) {
    return Double.isFinite(share) ? Numbers.fixed(100 * share, 1) + " %" : "-";
  }
}
