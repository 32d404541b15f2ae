package io.matryoshka.sae.explore;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.eval.LatentStatistics;
import java.util.Arrays;
import java.util.List;

/** Writes the findings for programs. A number that does not exist is null. */
final class ExplorationJson {

  private final ExplorationReport report;
  private final Exploration exploration;

  ExplorationJson(ExplorationReport report) {
    this.report = report;
    this.exploration = report.exploration();
  }

  ObjectNode json() {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("name", report.name());
    root.put("rows", exploration.statistics().rows());
    root.put("rows_left_out", exploration.rows() - exploration.statistics().rows());
    exploration.widths().forEach(root.putArray("widths")::add);
    root.put("missed_pairs", exploration.missedPairs());
    ArrayNode latents = root.putArray("latents");
    exploration.profiles().forEach(profile -> latents.add(latent(profile)));
    report.comparison().ifPresent(comparison -> root.set("comparison", json(comparison)));
    return root;
  }

  ObjectNode latent(LatentProfile profile) {
    LatentStatistics statistics = exploration.statistics();
    int latent = profile.latent();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("latent", latent).put("level", exploration.level(latent));
    node.put("firings", statistics.firings(latent));
    put(node, "density", statistics.density(latent));
    put(node, "mean_activation", statistics.meanActivation(latent));
    put(node, "max_activation", statistics.maxActivation(latent));
    ArrayNode contexts = node.putArray("contexts");
    report.contextGroups(latent).forEach(group -> contexts.add(json(group)));
    ObjectNode histogram = node.putObject("activation_histogram");
    histogram.put("upper", profile.histogram().upper());
    Arrays.stream(profile.histogram().counts()).forEach(histogram.putArray("counts")::add);
    ArrayNode examples = node.putArray("examples");
    report.examples(profile).forEach(group -> examples.add(json(group)));
    neighbours(node.putArray("nearest_decoder"), profile.decoderNeighbours());
    neighbours(node.putArray("nearest_encoder"), profile.encoderNeighbours());
    ArrayNode parents = node.putArray("parents");
    profile.parents().forEach(pair -> parents.add(json(pair, pair.parent())));
    ArrayNode children = node.putArray("children");
    profile.children().forEach(pair -> children.add(json(pair, pair.child())));
    profile.absorption().ifPresent(absorption -> node.set("absorption", json(absorption)));
    report
        .entry()
        .flatMap(entry -> entry.neuronpediaUrl(latent))
        .ifPresent(url -> node.put("neuronpedia", url.toString()));
    report
        .labels()
        .find(latent)
        .ifPresent(label -> node.put("label", label.text()).put("label_by", label.provenance()));
    return node;
  }

  private ObjectNode json(ContextGroup group) {
    TopContext context = group.first();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("row", context.row()).put("first_row", context.firstRow());
    node.put("repeats", group.times());
    float[] activations = context.activations();
    ArrayNode values = node.putArray("activations");
    for (float value : activations) {
      values.add(value);
    }
    if (report.tokens().isPresent()) {
      ArrayNode texts = node.putArray("tokens");
      for (int i = 0; i < activations.length; i++) {
        texts.add(report.text(context.firstRow() + i));
      }
    }
    return node;
  }

  private static void neighbours(ArrayNode array, List<Neighbour> neighbours) {
    for (Neighbour neighbour : neighbours) {
      array.addObject().put("latent", neighbour.latent()).put("cosine", neighbour.cosine());
    }
  }

  private static ObjectNode json(Coactivation pair, int other) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("latent", other).put("both", pair.both());
    put(node, "p_child_given_parent", pair.childGivenParent());
    put(node, "p_parent_given_child", pair.parentGivenChild());
    put(node, "lift", pair.lift());
    put(node, "correlation", pair.correlation());
    return node;
  }

  private static ObjectNode json(Absorption absorption) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("tokens", absorption.tokens()).put("silent", absorption.silent());
    put(node, "fraction", absorption.fraction());
    put(node, "full", absorption.full());
    if (absorption.topChild() >= 0) {
      node.put("top_child", absorption.topChild());
      node.put("top_child_tokens", absorption.topChildTokens());
    }
    return node;
  }

  private static ObjectNode json(Comparison comparison) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("other", comparison.other());
    ArrayNode array = node.putArray("differences");
    comparison.differences().stream()
        .sorted(LatentDifference.largestFirst())
        .forEach(
            difference -> {
              ObjectNode one = array.addObject();
              one.put("latent", difference.latent()).put("other_latent", difference.other());
              put(one, "density", difference.density());
              put(one, "other_density", difference.otherDensity());
              put(one, "z", difference.z());
              put(one, "mean_activation", difference.meanActivation());
              put(one, "other_mean_activation", difference.otherMeanActivation());
            });
    ArrayNode matches = node.putArray("matches");
    for (LatentMatch match : comparison.matches()) {
      if (match.match() >= 0) {
        ObjectNode one = matches.addObject();
        one.put("latent", match.latent()).put("match", match.match());
        one.put("cosine", match.cosine()).put("mutual", match.mutual());
      }
    }
    return node;
  }

  private static void put(ObjectNode node, String field, double value) {
    if (Double.isFinite(value)) {
      node.put(field, value);
    } else {
      node.putNull(field);
    }
  }
}
