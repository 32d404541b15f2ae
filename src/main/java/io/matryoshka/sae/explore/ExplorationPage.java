package io.matryoshka.sae.explore;

import io.matryoshka.sae.Levels;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.internal.report.BarChart;
import io.matryoshka.sae.internal.report.Block;
import io.matryoshka.sae.internal.report.Histogram;
import io.matryoshka.sae.internal.report.KeyFigures;
import io.matryoshka.sae.internal.report.Page;
import io.matryoshka.sae.internal.report.Prose;
import io.matryoshka.sae.internal.report.Row;
import io.matryoshka.sae.internal.report.Scale;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Puts the findings on a page. */
final class ExplorationPage {

  private static final int BINS = 32;

  private final ExplorationReport report;
  private final Exploration exploration;
  private final LatentStatistics statistics;
  private final Levels levels;

  ExplorationPage(ExplorationReport report) {
    this.report = report;
    exploration = report.exploration();
    statistics = exploration.statistics();
    levels = exploration.levels();
  }

  Page page() {
    ExplorationTables tables = new ExplorationTables(report);
    Page page =
        new Page(
            "Latents of " + report.name(),
            String.format(
                Locale.ROOT,
                "%,d tokens, %,d latents in %d Matryoshka levels",
                statistics.rows(),
                statistics.size(),
                levels.count()));
    page.section("Overview", keyFigures(), charts());
    page.section("Latents", Prose.of(aboutTable()), tables.latents());
    page.section("Latent", new LatentView());
    page.section("Parents and children", Prose.of(aboutPairs()), tables.pairs());
    tables.absorption().ifPresent(t -> page.section("Absorption", Prose.of(ABOUT_ABSORPTION), t));
    report
        .comparison()
        .ifPresent(c -> page.section("Comparison", aboutComparison(c), tables.differences(c)));
    return page.data("latent-data", new LatentViewData(report).json()).script(script());
  }

  private Block keyFigures() {
    long alive = latents(0).filter(latent -> statistics.firings(latent) > 0).count();
    double l0 = latents(0).mapToDouble(statistics::density).sum();
    return new KeyFigures()
        .add("tokens", String.format(Locale.ROOT, "%,d", statistics.rows()))
        .add(
            "latents that fired",
            String.format(Locale.ROOT, "%,d of %,d", alive, statistics.size()))
        .add("active per token (L0)", String.format(Locale.ROOT, "%.1f", l0))
        .add("latents described", String.format(Locale.ROOT, "%,d", exploration.profiles().size()));
  }

  /** All latents from one on. */
  private IntStream latents(int from) {
    return IntStream.range(from, statistics.size());
  }

  private Block charts() {
    List<Histogram.Group> densities = new ArrayList<>();
    List<Histogram.Group> cosines = new ArrayList<>();
    List<String> names = new ArrayList<>();
    List<Double> active = new ArrayList<>();
    List<Double> share = new ArrayList<>();
    for (int level = 0; level < levels.count(); level++) {
      int index = level;
      String range = levels.from(level) + "–" + (levels.to(level) - 1);
      double[] density =
          IntStream.range(levels.from(level), levels.to(level))
              .mapToDouble(statistics::density)
              .toArray();
      double[] cosine =
          exploration.profiles().stream()
              .filter(p -> levels.of(p.latent()) == index && !p.decoderNeighbours().isEmpty())
              .mapToDouble(p -> p.decoderNeighbours().get(0).cosine())
              .toArray();
      densities.add(new Histogram.Group(range, density));
      cosines.add(new Histogram.Group(range, cosine));
      names.add(range);
      active.add(Arrays.stream(density).sum());
      share.add(100 * Arrays.stream(density).filter(d -> d > 0).count() / (double) density.length);
    }
    return Row.of(
        new Histogram("Density by level", "share of tokens", Scale.LOG, "latents", BINS, densities),
        new Histogram(
            "Largest decoder cosine with another latent",
            "cosine",
            Scale.LINEAR,
            "latents",
            BINS,
            cosines),
        bars("Active latents per token by level", "active per token", names, active),
        bars("Latents that fired by level", "% of the level", names, share));
  }

  private static BarChart bars(
      String title, String label, List<String> names, List<Double> values) {
    return new BarChart(
        title, "latents of the level", label, names, List.of(new BarChart.Series(label, values)));
  }

  private String aboutTable() {
    return "Click a heading to sort; click a latent for its contexts. The filter takes words, such"
        + " as a token, and conditions, such as density>1 (in %), level=2 or max>5."
        + (exploration.profiles().size() < statistics.size()
            ? " Parents are known for the latents described alone."
            : "");
  }

  private String aboutPairs() {
    return "A child is a latent of a higher Matryoshka level than its parent. P(child|parent) is"
        + " the share of the parent's tokens where the child fires too. Ordered by the correlation"
        + " of firing, which does not favour latents that fire everywhere."
        + (exploration.missedPairs() == 0
            ? " All counts are exact."
            : " Counts may be too small by " + exploration.missedPairs() + " at most.");
  }

  private static final String ABOUT_ABSORPTION =
      "Tokens are those whose projection on the parent's decoder direction is at least the parent's"
          + " mean activation. Silent are those of them where the parent does not fire. The"
          + " fraction says how much of the direction children carry in the parent's place, from 0"
          + " to 1; fully absorbed tokens have a silent parent and one child with at least 40 % of"
          + " the projection. The rule is SAEBench's with the parent's direction in place of a"
          + " trained probe.";

  private Block aboutComparison(Comparison comparison) {
    String side =
        comparison.matches().isEmpty()
            ? "the same latent on the other activations"
            : "the latent of the other SAE with the nearest decoder direction";
    return Prose.of(
        "Other side: " + comparison.other() + ".",
        "Each latent is compared with "
            + side
            + ". z is the two-proportion statistic of the densities; it ranks differences and is"
            + " no test, as tokens of one text are not independent.");
  }

  private static String script() {
    try (InputStream in = ExplorationPage.class.getResourceAsStream("explore.js")) {
      if (in == null) {
        throw new IllegalStateException("resource explore.js is missing from the library's jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("\r\n", "\n");
    } catch (IOException e) {
      throw new UncheckedIOException("resource explore.js", e);
    }
  }

  /** The place that explore.js fills. */
  private record LatentView() implements Block {
    @Override
    public String html() {
      return "<div id=\"latent-view\"><noscript><p>This part needs JavaScript.</p></noscript></div>";
    }
  }
}
