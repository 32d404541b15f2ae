package io.matryoshka.sae.explore;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.eval.LatentStatistics;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * What explore.js needs to show one latent at a time, in few bytes. Every token text and every row
 * of a context stands once; contexts point into the list of rows.
 */
final class LatentViewData {

  private static final MathContext DIGITS = new MathContext(3);

  private final ExplorationReport report;
  private final Map<Long, Integer> places = new HashMap<>();

  LatentViewData(ExplorationReport report) {
    this.report = report;
  }

  ObjectNode json() {
    Exploration exploration = report.exploration();
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    exploration.widths().forEach(root.putArray("widths")::add);
    root.put("named", report.tokens().isPresent());
    report.entry().flatMap(e -> e.neuronpediaUrl(0)).ifPresent(url -> link(root, url.toString()));
    addRows(root);
    ObjectNode latents = root.putObject("latents");
    for (LatentProfile profile : exploration.profiles()) {
      latents.set(String.valueOf(profile.latent()), latent(profile));
    }
    return root;
  }

  /** The address of latent 0 without its number. */
  private static void link(ObjectNode root, String first) {
    root.put("link", first.substring(0, first.length() - 1));
  }

  private void addRows(ObjectNode root) {
    TreeSet<Long> rows = new TreeSet<>();
    for (LatentProfile profile : report.exploration().profiles()) {
      for (TopContext context : report.contexts(profile.latent())) {
        for (int i = 0; i < context.activations().length; i++) {
          rows.add(context.firstRow() + i);
        }
      }
    }
    Map<String, Integer> words = new LinkedHashMap<>();
    ArrayNode text = JsonNodeFactory.instance.arrayNode(rows.size());
    for (long row : rows) {
      places.put(row, places.size());
      text.add(words.computeIfAbsent(report.text(row), word -> words.size()));
    }
    words.keySet().forEach(root.putArray("words")::add);
    root.set("text", text);
  }

  private ObjectNode latent(LatentProfile profile) {
    LatentStatistics statistics = report.exploration().statistics();
    int latent = profile.latent();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ArrayNode figures = node.putArray("s").add(statistics.firings(latent));
    figures.add(round(statistics.density(latent)));
    figures.add(round(statistics.meanActivation(latent)));
    figures.add(round(statistics.maxActivation(latent)));
    report
        .labels()
        .find(latent)
        .ifPresent(label -> node.putArray("l").add(label.text()).add(label.provenance()));
    ArrayNode contexts = node.putArray("c");
    report.contexts(latent).forEach(context -> contexts.add(context(context)));
    neighbours(node.putArray("d"), profile.decoderNeighbours());
    neighbours(node.putArray("e"), profile.encoderNeighbours());
    pairs(node.putArray("p"), profile.parents(), true);
    pairs(node.putArray("k"), profile.children(), false);
    profile
        .absorption()
        .filter(absorption -> absorption.tokens() > 0)
        .ifPresent(
            a ->
                node.putArray("a")
                    .add(a.tokens())
                    .add(a.silent())
                    .add(round(a.fraction()))
                    .add(round(a.full()))
                    .add(a.topChild())
                    .add(a.topChildTokens()));
    return node;
  }

  /** Place of the first token, number of tokens, the top one, then place and activation of each. */
  private ArrayNode context(TopContext context) {
    float[] activations = context.activations();
    ArrayNode node = JsonNodeFactory.instance.arrayNode();
    node.add(places.get(context.firstRow())).add(activations.length);
    node.add(context.row() - context.firstRow());
    for (int i = 0; i < activations.length; i++) {
      if (activations[i] != 0) {
        node.add(i).add(round(activations[i]));
      }
    }
    return node;
  }

  private static void neighbours(ArrayNode node, List<Neighbour> neighbours) {
    neighbours.forEach(n -> node.add(n.latent()).add(round(n.cosine())));
  }

  private static void pairs(ArrayNode node, List<Coactivation> pairs, boolean parents) {
    for (Coactivation pair : pairs) {
      node.add(parents ? pair.parent() : pair.child()).add(pair.both());
      node.add(round(pair.parentGivenChild())).add(round(pair.childGivenParent()));
      node.add(round(pair.correlation()));
    }
  }

  private static BigDecimal round(double value) {
    return Double.isFinite(value)
        ? new BigDecimal(value).round(DIGITS).stripTrailingZeros()
        : BigDecimal.ZERO;
  }
}
