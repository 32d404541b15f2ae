package io.matryoshka.sae.eval;

import io.matryoshka.sae.internal.report.Column;
import io.matryoshka.sae.internal.report.DataTable;
import io.matryoshka.sae.registry.SaeEntry;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** The table of all latents of an evaluation. */
final class LatentTable {

  private static final String NEURONPEDIA = "https://www.neuronpedia.org/";

  private LatentTable() {}

  static DataTable of(EvaluationReport report) {
    LatentStatistics latents = report.evaluation().latents();
    DataTable table = new DataTable("Latents");
    table.add(Column.number("latent", "Latent", "index of the latent", 0), column(latents, l -> l));
    table.add(Column.level("level", "Level", "Matryoshka level, counted from 0"), levels(report));
    table.add(
        Column.percent("density", "Density", "share of rows where the latent is active", 3),
        column(latents, latents::density));
    table.add(
        Column.number("log", "Log sparsity", "log10 of density + 1e-10", 2),
        column(latents, latents::logSparsity));
    report
        .logSparsity()
        .ifPresent(
            published ->
                table.add(
                    Column.number("published", "Published", "published log sparsity", 2),
                    column(latents, latent -> published[latent])));
    table.add(
        Column.number("mean", "Mean activation", "over the rows where it is active", 3),
        column(latents, latents::meanActivation));
    table.add(
        Column.number("max", "Max activation", "largest activation", 3),
        column(latents, latents::maxActivation));
    Optional<String> page = report.entry().flatMap(SaeEntry::neuronpediaId);
    page.ifPresent(
        id ->
            table.add(
                Column.link("page", "Neuronpedia", "its page there", NEURONPEDIA + id + "/"),
                column(latents, l -> l)));
    return table;
  }

  private static double[] column(LatentStatistics latents, IntToDoubleFunction value) {
    return IntStream.range(0, latents.size()).mapToDouble(value).toArray();
  }

  private static double[] levels(EvaluationReport report) {
    double[] levels = new double[report.evaluation().latents().size()];
    List<LevelMetrics> all = report.evaluation().levels();
    for (int level = 0; level < all.size(); level++) {
      Arrays.fill(levels, all.get(level).from(), all.get(level).to(), level);
    }
    return levels;
  }
}
