package io.matryoshka.sae.eval;

import io.matryoshka.sae.internal.report.BarChart;
import io.matryoshka.sae.internal.report.Block;
import io.matryoshka.sae.internal.report.Histogram;
import io.matryoshka.sae.internal.report.KeyFigures;
import io.matryoshka.sae.internal.report.LineChart;
import io.matryoshka.sae.internal.report.Page;
import io.matryoshka.sae.internal.report.Prose;
import io.matryoshka.sae.internal.report.Row;
import io.matryoshka.sae.internal.report.Scale;
import io.matryoshka.sae.internal.report.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** The page of an evaluation. */
final class EvaluationPage {

  private static final int BINS = 40;

  /** What the lines of the plot are; docs/evaluation.md has the formulas. */
  private static final String[] VARIANTS = {
    "Five figures are called explained variance. Higher is better in all of them, 1 is perfect, 0"
        + " is as good as the mean activation. Compare only figures of one kind.",
    "Pooled: 1 minus the sum of all squared errors over the sum of all squared distances to the"
        + " mean. The one to report, and the one in the tables here.",
    "Legacy (SAELens, SAEBench): the same ratio for each row, then the mean. A row near the mean of"
        + " its batch weighs heavily, so it can be far below 0.",
    "As coded (SAELens 6.18): has a known fault and is near 1 where activations have a large mean."
        + " For comparison with figures that were published so.",
    "dictionary_learning: variances of the residual; a constant offset of the reconstruction costs"
        + " nothing.",
    "sparsify: 1 minus the mean over batches of the unexplained share, so each batch weighs alike."
  };

  private final EvaluationReport report;
  private final Evaluation evaluation;

  EvaluationPage(EvaluationReport report) {
    this.report = report;
    this.evaluation = report.evaluation();
  }

  Page page() {
    Page page = new Page("Evaluation of " + report.name(), subtitle());
    if (evaluation.rows() == 0) {
      return page.section("Summary", Prose.of("No row was counted, so there is nothing to show."));
    }
    page.section("Summary", keyFigures(), Prose.of(excluded()));
    byWidth(page);
    report.loss().ifPresent(loss -> LossSection.add(page, loss));
    levels(page);
    published(page);
    page.section(
        "Latents",
        Prose.of(
            "Every latent, how often and how strongly it fired. Click a heading to sort; type a"
                + " condition such as density>1 to filter."),
        LatentTable.of(report));
    return page;
  }

  private String subtitle() {
    return String.format(
        Locale.ROOT,
        "%,d rows, d_in %d, d_sae %d",
        evaluation.rows(),
        evaluation.dIn(),
        evaluation.latents().size());
  }

  private String excluded() {
    return String.format(
        Locale.ROOT,
        "%,d rows were masked out and %,d left out for a NaN or an infinity. Metrics that are"
            + " defined per batch use evaluation batches of %,d rows.",
        evaluation.maskedRows(),
        evaluation.nonFiniteRows(),
        evaluation.batchRows());
  }

  private KeyFigures keyFigures() {
    WidthMetrics full = evaluation.full();
    return new KeyFigures()
        .add("Explained variance", fixed(full.explainedVariance().pooled(), 4))
        .add("L0", fixed(full.sparsity().l0(), 2))
        .add("Cosine similarity", fixed(full.reconstruction().cosine(), 4))
        .add("Dead latents", fixed(100 * full.liveness().dead(), 1) + " %");
  }

  private void byWidth(Page page) {
    List<WidthMetrics> widths = evaluation.widths();
    Optional<LineChart> explained = explainedVariance();
    page.section(
        "By prefix width",
        explained.isPresent() ? Row.of(explained.get(), l0()) : l0(),
        new Table(
            "Metrics by prefix width",
            List.of(
                "Width",
                "Explained variance",
                "MSE",
                "Normalised MSE",
                "Cosine",
                "L2 ratio",
                "Relative bias",
                "L0",
                "L1",
                "Alive"),
            widths.stream().map(EvaluationPage::cells).toList()),
        Prose.of(VARIANTS));
    page.section(
        "Sparsity",
        Row.of(
            new Histogram(
                "L0 histogram",
                "active latents of a row",
                Scale.LINEAR,
                "rows",
                BINS,
                widths.stream().map(EvaluationPage::l0Group).toList()),
            new Histogram(
                "Density of latents by level",
                "share of rows where the latent is active",
                Scale.LOG,
                "latents of the level",
                BINS,
                groups(latent -> evaluation.latents().density(latent)))));
  }

  LineChart l0() {
    return new LineChart(
        "L0 by prefix width",
        "prefix width, latents",
        Scale.LOG,
        "active latents a row",
        Scale.LINEAR,
        List.of(line("L0", w -> w.sparsity().l0())));
  }

  /** Empty if no variant is defined. */
  Optional<LineChart> explainedVariance() {
    List<LineChart.Line> lines =
        List.of(
            line("pooled", w -> w.explainedVariance().pooled()),
            line("legacy", w -> w.explainedVariance().legacy()),
            line("as coded", w -> w.explainedVariance().asCoded()),
            line("dictionary_learning", w -> w.explainedVariance().dictionaryLearning()),
            line("sparsify", w -> w.explainedVariance().sparsify()));
    return lines.stream().allMatch(l -> l.points().stream().noneMatch(p -> Double.isFinite(p.y())))
        ? Optional.empty()
        : Optional.of(
            new LineChart(
                "Explained variance by prefix width",
                "prefix width, latents",
                Scale.LOG,
                "explained variance",
                Scale.LINEAR,
                lines));
  }

  private LineChart.Line line(String name, ToDoubleFunction<WidthMetrics> metric) {
    return new LineChart.Line(
        name,
        evaluation.widths().stream()
            .map(w -> new LineChart.Point(w.width(), metric.applyAsDouble(w)))
            .toList());
  }

  private static Histogram.Group l0Group(WidthMetrics width) {
    List<Long> counts = width.sparsity().l0Histogram();
    return new Histogram.Group(
        "width " + width.width(),
        IntStream.range(0, counts.size()).mapToDouble(k -> k).toArray(),
        counts.stream().mapToDouble(Long::doubleValue).toArray());
  }

  private static List<String> cells(WidthMetrics width) {
    Reconstruction close = width.reconstruction();
    return List.of(
        Integer.toString(width.width()),
        fixed(width.explainedVariance().pooled(), 4),
        fixed(close.mse(), 5),
        fixed(close.normalisedMse(), 4),
        fixed(close.cosine(), 4),
        fixed(close.l2Ratio(), 4),
        fixed(close.relativeBias(), 4),
        fixed(width.sparsity().l0(), 2),
        fixed(width.sparsity().l1(), 2),
        fixed(100 * width.liveness().alive(), 1) + " %");
  }

  private void levels(Page page) {
    List<String> names = evaluation.levels().stream().map(EvaluationPage::name).toList();
    BarChart shares =
        new BarChart(
            "Share of each level",
            "latents of the level",
            "% of the whole",
            names,
            List.of(
                new BarChart.Series(
                    "L0", evaluation.levels().stream().map(l -> 100 * l.l0Share()).toList()),
                new BarChart.Series(
                    "explained variance",
                    evaluation.levels().stream()
                        .map(l -> 100 * l.explainedVarianceShare())
                        .toList())));
    page.section("By level", Row.of(shares, levelTable()));
  }

  private Table levelTable() {
    return new Table(
        "What each level adds",
        List.of("Latents", "L0", "Explained variance added", "Dead"),
        evaluation.levels().stream()
            .map(
                level ->
                    List.of(
                        name(level),
                        fixed(level.l0(), 2),
                        fixed(level.explainedVarianceGain(), 4),
                        fixed(100 * level.liveness().dead(), 1) + " %"))
            .toList());
  }

  private static String name(LevelMetrics level) {
    return level.from() + "–" + (level.to() - 1);
  }

  private List<Histogram.Group> groups(IntToDoubleFunction value) {
    List<Histogram.Group> groups = new ArrayList<>();
    for (LevelMetrics level : evaluation.levels()) {
      groups.add(
          new Histogram.Group(
              "latents " + name(level),
              IntStream.range(level.from(), level.to()).mapToDouble(value).toArray()));
    }
    return groups;
  }

  private void published(Page page) {
    PublishedComparison comparison = report.published();
    List<Block> blocks = new ArrayList<>();
    comparison
        .explainedVariance()
        .ifPresent(
            published ->
                blocks.add(
                    new Table(
                        "Published and measured figures",
                        List.of("Figure", "Published", "Measured", "Difference"),
                        List.of(
                            List.of(
                                "Explained variance",
                                fixed(published, 4),
                                fixed(evaluation.full().explainedVariance().pooled(), 4),
                                fixed(
                                    comparison.explainedVarianceDifference().getAsDouble(), 4))))));
    comparison.density().ifPresent(density -> blocks.add(densities(density)));
    if (!blocks.isEmpty()) {
      page.section("Published and measured", blocks.toArray(Block[]::new));
    }
  }

  private Row densities(PublishedComparison.DensityComparison density) {
    return Row.of(
        new Histogram(
            "Measured minus published log sparsity",
            "difference, factors of 10",
            Scale.LINEAR,
            "latents of the level",
            BINS,
            groups(this::densityDifference)),
        Prose.of(sentence(density)));
  }

  /** NaN, which the chart counts as not shown, unless the latent fires in both. */
  private double densityDifference(int latent) {
    float published = report.logSparsity().orElseThrow()[latent];
    return DensityComparer.firesInBoth(evaluation.latents(), latent, published)
        ? evaluation.latents().logSparsity(latent) - published
        : Double.NaN;
  }

  private static String sentence(PublishedComparison.DensityComparison density) {
    return String.format(
        Locale.ROOT,
        "%,d latents fire in both; over them the correlation of the log sparsities is %s and they"
            + " differ by %s factors of 10 on average, %s at most. %,d fire in neither, %,d here"
            + " only, %,d in the published figures only.",
        density.firing(),
        fixed(density.correlation(), 3),
        fixed(density.meanAbsoluteDifference(), 3),
        fixed(density.maxAbsoluteDifference(), 3),
        density.silent(),
        density.onlyMeasured(),
        density.onlyPublished());
  }

  private static String fixed(double value, int digits) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%." + digits + "f", value) : "–";
  }
}
