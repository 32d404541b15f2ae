package io.matryoshka.sae.explore;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.eval.LatentStatistics;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * What explore.js needs to show one latent at a time, in few bytes. Every token text and every row
 * of a context stands once; contexts point into the list of rows.
 */
final class LatentViewData {

  private static final MathContext DIGITS = new MathContext(3);

  /** Tokens of a sentence that are kept on each side of a context. */
  private static final int SENTENCE_REACH = 48;

  /** With more tokens than this on the page, no further sentences are added. */
  private static final int MAX_ROWS = 200_000;

  private final ExplorationReport report;
  private final Map<Long, Integer> places = new HashMap<>();

  /** Tokens of the sentence before and after a context. */
  private final Map<TopContext, int[]> sentences = new HashMap<>();

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
    forEachContext(context -> addRange(rows, context.firstRow(), context.activations().length));
    forEachContext(context -> addSentence(rows, context));
    Map<String, Integer> words = new LinkedHashMap<>();
    ArrayNode text = JsonNodeFactory.instance.arrayNode(rows.size());
    for (long row : rows) {
      places.put(row, places.size());
      text.add(words.computeIfAbsent(report.text(row), word -> words.size()));
    }
    ArrayNode pieces = root.putArray("words");
    ArrayNode rest = root.putArray("rest");
    for (Map.Entry<String, Integer> word : words.entrySet()) {
      pieces.add(report.tokens().map(t -> t.pieces().piece(word.getKey())).orElse(word.getKey()));
      if (report.tokens().map(t -> t.pieces().goesOn(word.getKey())).orElse(false)) {
        rest.add(word.getValue());
      }
    }
    root.set("text", text);
  }

  private void forEachContext(Consumer<TopContext> action) {
    for (LatentProfile profile : report.exploration().profiles()) {
      report.contextGroups(profile.latent()).forEach(group -> action.accept(group.first()));
      report.examples(profile).forEach(group -> action.accept(group.first()));
    }
  }

  private static void addRange(TreeSet<Long> rows, long first, long count) {
    for (long row = first; row < first + count; row++) {
      rows.add(row);
    }
  }

  /** Adds the sentence around a context, cut where it is long, as long as the page stays small. */
  private void addSentence(TreeSet<Long> rows, TopContext context) {
    if (report.tokens().isEmpty() || rows.size() > MAX_ROWS) {
      return;
    }
    Tokens tokens = report.tokens().get();
    long from = context.firstRow();
    long to = from + context.activations().length;
    int at = Math.toIntExact(context.row());
    int before = 0;
    while (before < SENTENCE_REACH
        && from - before > 0
        && tokens.sameSequence((int) from - before - 1, at)) {
      before++;
    }
    int after = 0;
    while (after < SENTENCE_REACH
        && to + after < tokens.size()
        && tokens.sameSequence((int) to + after, at)) {
      after++;
    }
    addRange(rows, from - before, before);
    addRange(rows, to, after);
    sentences.put(context, new int[] {before, after});
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
    report.contextGroups(latent).forEach(group -> contexts.add(context(group)));
    ArrayNode examples = node.putArray("x");
    report.examples(profile).forEach(group -> examples.add(context(group)));
    ArrayNode histogram = node.putArray("h").add(round(profile.histogram().upper()));
    Arrays.stream(profile.histogram().counts()).forEach(histogram::add);
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

  /**
   * Place of the first token, number of tokens, the top one, tokens of the sentence before and
   * after, number of contexts with this text, then place and activation of each active token.
   */
  private ArrayNode context(ContextGroup group) {
    TopContext context = group.first();
    int[] sentence = sentences.getOrDefault(context, new int[2]);
    float[] activations = context.activations();
    ArrayNode node = JsonNodeFactory.instance.arrayNode();
    node.add(places.get(context.firstRow())).add(activations.length);
    node.add(context.row() - context.firstRow());
    node.add(sentence[0]).add(sentence[1]).add(group.times());
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
