package io.matryoshka.sae.explore;

import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.internal.report.Column;
import io.matryoshka.sae.internal.report.DataTable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The tables of the page. */
final class ExplorationTables {

  private static final int MAX_PAIRS = 2000;

  private final ExplorationReport report;
  private final Exploration exploration;
  private final LatentStatistics statistics;
  private final Map<Integer, LatentProfile> profiles;

  ExplorationTables(ExplorationReport report) {
    this.report = report;
    exploration = report.exploration();
    statistics = exploration.statistics();
    profiles =
        exploration.profiles().stream()
            .collect(Collectors.toMap(LatentProfile::latent, profile -> profile));
  }

  DataTable latents() {
    int[] all = IntStream.range(0, statistics.size()).toArray();
    DataTable table = new DataTable("Latents");
    table.add(Column.latent("latent", "Latent", "index of the latent"), values(all, i -> i));
    table.add(Column.level("level", "Level", "Matryoshka level"), values(all, exploration::level));
    table.add(
        Column.percent("density", "Density %", "share of tokens where the latent fires", 2),
        values(all, statistics::density));
    table.add(
        Column.number("mean", "Mean", "mean activation where it fires", 2),
        values(all, statistics::meanActivation));
    table.add(
        Column.number("max", "Max", "largest activation", 2),
        values(all, i -> statistics.firings(i) == 0 ? Double.NaN : statistics.maxActivation(i)));
    if (report.tokens().isPresent()) {
      table.add(topTokens("tokens", "Top tokens"), texts(all));
    }
    table.add(
        Column.latent(
            "parent", "Parent", "latent of a lower level with the most correlated firing"),
        values(all, i -> parent(i).map(c -> (double) c.parent()).orElse(Double.NaN)));
    table.add(
        Column.percent("p_parent", "P(parent) %", "share of its tokens where the parent fires", 0),
        values(all, i -> parent(i).map(Coactivation::parentGivenChild).orElse(Double.NaN)));
    report
        .entry()
        .flatMap(entry -> entry.neuronpediaUrl(0))
        .map(url -> url.toString().substring(0, url.toString().length() - 1))
        .ifPresent(
            link ->
                table.add(
                    Column.link("page", "Neuronpedia", "the latent's page on Neuronpedia", link),
                    values(all, i -> i)));
    return table;
  }

  private Optional<Coactivation> parent(int latent) {
    return Optional.ofNullable(profiles.get(latent)).flatMap(p -> p.parents().stream().findFirst());
  }

  DataTable pairs() {
    List<Coactivation> pairs =
        exploration.profiles().stream()
            .flatMap(profile -> profile.children().stream())
            .sorted(
                Comparator.comparingDouble(Coactivation::correlation)
                    .reversed()
                    .thenComparingInt(Coactivation::parent)
                    .thenComparingInt(Coactivation::child))
            .limit(MAX_PAIRS)
            .toList();
    int[] parents = pairs.stream().mapToInt(Coactivation::parent).toArray();
    int[] children = pairs.stream().mapToInt(Coactivation::child).toArray();
    DataTable table = new DataTable("Parents and children");
    addParents(table, parents);
    table.add(Column.latent("child", "Child", "index of the child"), values(children, i -> i));
    if (report.tokens().isPresent()) {
      table.add(topTokens("child_tokens", "Its top tokens"), texts(children));
    }
    table.add(
        Column.number("both", "Both", "tokens where both fire", 0),
        column(pairs, Coactivation::both));
    table.add(
        Column.percent("p_child", "P(child|parent) %", "share of the parent's tokens", 1),
        column(pairs, Coactivation::childGivenParent));
    table.add(
        Column.percent("p_parent", "P(parent|child) %", "share of the child's tokens", 1),
        column(pairs, Coactivation::parentGivenChild));
    table.add(
        Column.number("correlation", "Correlation", "phi coefficient of firing", 3),
        column(pairs, Coactivation::correlation));
    return table;
  }

  /** Parents that have tokens with their direction; empty if there is none. */
  Optional<DataTable> absorption() {
    List<Absorption> rows =
        exploration.profiles().stream()
            .flatMap(profile -> profile.absorption().stream())
            .filter(absorption -> absorption.tokens() > 0)
            .sorted(
                Comparator.comparingDouble(Absorption::fraction)
                    .reversed()
                    .thenComparingInt(Absorption::parent))
            .toList();
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    int[] parents = rows.stream().mapToInt(Absorption::parent).toArray();
    DataTable table = new DataTable("Absorption");
    addParents(table, parents);
    table.add(
        Column.number("tokens", "Tokens", "tokens with the parent's direction", 0),
        column(rows, Absorption::tokens));
    table.add(
        Column.percent("silent", "Silent %", "of them, where the parent does not fire", 1),
        column(rows, a -> (double) a.silent() / a.tokens()));
    table.add(
        Column.number("fraction", "Fraction", "mean absorption fraction", 3),
        column(rows, Absorption::fraction));
    table.add(
        Column.percent("full", "Full %", "tokens that are fully absorbed", 1),
        column(rows, Absorption::full));
    table.add(
        Column.latent("child", "Top child", "the child that carried most, most often"),
        column(rows, a -> a.topChild() < 0 ? Double.NaN : a.topChild()));
    return Optional.of(table);
  }

  DataTable differences(Comparison comparison) {
    List<LatentDifference> rows =
        comparison.differences().stream().sorted(LatentDifference.largestFirst()).toList();
    int[] latents = rows.stream().mapToInt(LatentDifference::latent).toArray();
    DataTable table = new DataTable("Comparison");
    table.add(Column.latent("latent", "Latent", "index here"), values(latents, i -> i));
    table.add(
        Column.level("level", "Level", "Matryoshka level"), values(latents, exploration::level));
    if (report.tokens().isPresent()) {
      table.add(topTokens("tokens", "Top tokens"), texts(latents));
    }
    if (!comparison.matches().isEmpty()) {
      List<LatentMatch> matches = comparison.matches();
      table.add(
          Column.number("other", "Other", "index of its match in the other SAE", 0),
          column(rows, LatentDifference::other));
      table.add(
          Column.number("cosine", "Cosine", "of the decoder directions", 3),
          values(latents, i -> matches.get(i).cosine()));
      table.add(
          Column.text("mutual", "Mutual", "whether each is the best match of the other"),
          Arrays.stream(latents).mapToObj(i -> matches.get(i).mutual() ? "yes" : "no").toList());
    }
    table.add(
        Column.percent("density", "Density %", "share of tokens, here", 2),
        column(rows, LatentDifference::density));
    table.add(
        Column.percent("other_density", "Other %", "share of tokens, on the other side", 2),
        column(rows, LatentDifference::otherDensity));
    table.add(
        Column.number("z", "z", "two-proportion statistic", 2), column(rows, LatentDifference::z));
    table.add(
        Column.number("mean", "Mean", "mean activation, here", 2),
        column(rows, LatentDifference::meanActivation));
    table.add(
        Column.number("other_mean", "Other mean", "mean activation, on the other side", 2),
        column(rows, LatentDifference::otherMeanActivation));
    return table;
  }

  private void addParents(DataTable table, int[] parents) {
    table.add(Column.latent("parent", "Parent", "index of the parent"), values(parents, i -> i));
    table.add(
        Column.level("level", "Level", "level of the parent"), values(parents, exploration::level));
    if (report.tokens().isPresent()) {
      table.add(topTokens("parent_tokens", "Its top tokens"), texts(parents));
    }
  }

  private static Column topTokens(String key, String name) {
    return Column.text(key, name, "different tokens where the latent is strongest");
  }

  private List<String> texts(int[] latents) {
    return Arrays.stream(latents).mapToObj(report::topTokens).toList();
  }

  private static double[] values(int[] latents, IntToDoubleFunction value) {
    return Arrays.stream(latents).mapToDouble(value).toArray();
  }

  private static <T> double[] column(List<T> rows, ToDoubleFunction<T> value) {
    return rows.stream().mapToDouble(value).toArray();
  }
}
