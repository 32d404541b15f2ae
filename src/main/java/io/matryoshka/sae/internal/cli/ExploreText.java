package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.explore.Absorption;
import io.matryoshka.sae.explore.Coactivation;
import io.matryoshka.sae.explore.ExplorationReport;
import io.matryoshka.sae.explore.LatentDifference;
import io.matryoshka.sae.explore.LatentProfile;
import io.matryoshka.sae.explore.Neighbour;
import io.matryoshka.sae.explore.TopContext;
import java.util.List;
import java.util.stream.Collectors;

/** Prints an exploration for people: a summary, or each latent that was asked for. */
final class ExploreText {

  private static final int MAX_ROWS = 20;

  private final ExplorationReport report;
  private final Output output;
  private final LatentStatistics statistics;

  ExploreText(ExplorationReport report, Output output) {
    this.report = report;
    this.output = output;
    statistics = report.exploration().statistics();
  }

  void print(boolean each) {
    if (each) {
      List<LatentProfile> profiles = report.exploration().profiles();
      for (int i = 0; i < profiles.size(); i++) {
        if (i > 0) {
          output.line("");
        }
        latent(profiles.get(i));
      }
    } else {
      summary();
    }
    report.comparison().ifPresent(c -> differences(c.differences()));
  }

  private void summary() {
    List<LatentProfile> profiles = report.exploration().profiles();
    output.line(
        "%d tokens, %d latents described; the first %d:"
            .formatted(statistics.rows(), profiles.size(), Math.min(MAX_ROWS, profiles.size())));
    TextTable table =
        TextTable.of(
            ">latent", ">level", ">density %", ">mean", ">max", ">parent", "strongest tokens");
    for (LatentProfile profile : profiles.subList(0, Math.min(MAX_ROWS, profiles.size()))) {
      int latent = profile.latent();
      table.row(
          latent,
          report.exploration().level(latent),
          Numbers.fixed(100 * statistics.density(latent), 2),
          Numbers.fixed(statistics.meanActivation(latent), 2),
          Numbers.fixed(statistics.maxActivation(latent), 2),
          profile.parents().isEmpty() ? "-" : profile.parents().get(0).parent(),
          report.topTokens(latent));
    }
    output.table(table);
    output.line("");
    output.line("--latent N describes a latent; --html FILE writes a report of all.");
  }

  private void latent(LatentProfile profile) {
    int latent = profile.latent();
    if (statistics.firings(latent) == 0) {
      output.line(
          "Latent %d, level %d: never fires on these %d tokens"
              .formatted(latent, report.exploration().level(latent), statistics.rows()));
      output.line("nearest by decoder: " + neighbours(profile.decoderNeighbours()));
      return;
    }
    output.line(
        "Latent %d, level %d: fires on %s %% of %d tokens, mean %s, largest %s"
            .formatted(
                latent,
                report.exploration().level(latent),
                Numbers.fixed(100 * statistics.density(latent), 2),
                statistics.rows(),
                Numbers.fixed(statistics.meanActivation(latent), 2),
                Numbers.fixed(statistics.maxActivation(latent), 2)));
    report
        .entry()
        .flatMap(entry -> entry.neuronpediaUrl(latent))
        .ifPresent(url -> output.line(url.toString()));
    TextTable table = TextTable.of(">activation", ">row", "context");
    report.eachContext(latent, (context, times) -> table.row(cells(context, times)));
    output.table(table);
    if (!profile.examples().isEmpty()) {
      TextTable lower = TextTable.of(">activation", ">row", "from the lower quarters of its range");
      report.eachExample(profile, (context, times) -> lower.row(cells(context, times)));
      output.table(lower);
    }
    output.line("nearest by decoder: " + neighbours(profile.decoderNeighbours()));
    output.line("nearest by encoder: " + neighbours(profile.encoderNeighbours()));
    pairs("parents", profile.parents(), true);
    pairs("children", profile.children(), false);
    profile.absorption().filter(a -> a.tokens() > 0).ifPresent(this::absorption);
  }

  private Object[] cells(TopContext context, int times) {
    String repeats = times > 1 ? "  (" + times + " times)" : "";
    return new Object[] {
      Numbers.fixed(context.activation(), 2), context.row(), report.text(context) + repeats
    };
  }

  private static String neighbours(List<Neighbour> neighbours) {
    return neighbours.isEmpty()
        ? "none"
        : neighbours.stream()
            .map(n -> n.latent() + " (" + Numbers.fixed(n.cosine(), 3) + ")")
            .collect(Collectors.joining(", "));
  }

  private void pairs(String name, List<Coactivation> pairs, boolean parents) {
    if (pairs.isEmpty()) {
      return;
    }
    TextTable table =
        TextTable.of(">" + name, ">both", ">P(parent|child)", ">P(child|parent)", ">correlation");
    for (Coactivation pair : pairs) {
      table.row(
          parents ? pair.parent() : pair.child(),
          pair.both(),
          Numbers.fixed(pair.parentGivenChild(), 3),
          Numbers.fixed(pair.childGivenParent(), 3),
          Numbers.fixed(pair.correlation(), 3));
    }
    output.table(table);
  }

  private void absorption(Absorption absorption) {
    output.line(
        "absorption: of %d tokens with its direction it is silent on %d; fraction %s, full %s"
            .formatted(
                absorption.tokens(),
                absorption.silent(),
                Numbers.fixed(absorption.fraction(), 3),
                Numbers.fixed(absorption.full(), 3)));
  }

  private void differences(List<LatentDifference> differences) {
    output.line("");
    output.line("Largest differences in density:");
    TextTable table =
        TextTable.of(">latent", ">other", ">density %", ">other %", ">z", ">mean", ">other mean");
    differences.stream()
        .sorted(LatentDifference.largestFirst())
        .limit(MAX_ROWS)
        .forEach(
            d ->
                table.row(
                    d.latent(),
                    d.other(),
                    Numbers.fixed(100 * d.density(), 2),
                    Numbers.fixed(100 * d.otherDensity(), 2),
                    Numbers.fixed(d.z(), 2),
                    Numbers.fixed(d.meanActivation(), 2),
                    Numbers.fixed(d.otherMeanActivation(), 2)));
    output.table(table);
  }
}
