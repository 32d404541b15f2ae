package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.explore.Direction;
import io.matryoshka.sae.explore.NearestLatents;
import io.matryoshka.sae.explore.Neighbour;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One latent: its parameters, its directions, and what a corpus tells of it. */
final class LatentView {

  /** Latents whose directions are remembered. */
  static final int KEPT = 256;

  private static final int NEAREST = 10;
  private static final int RELATIVES = 5;

  private final OpenSae open;
  private final SAE sae;
  private final Levels levels;
  private final int latent;

  private LatentView(OpenSae open, int latent) {
    this.open = open;
    this.sae = open.sae();
    this.levels = open.levels();
    this.latent = latent;
  }

  static ObjectNode of(OpenSae open, int latent) throws IOException {
    open.requireLatent(latent);
    return new LatentView(open, latent).json();
  }

  private ObjectNode json() throws IOException {
    ObjectNode node = Json.object().put("sae", open.name().key());
    node.put("latent", latent).put("level", levels.of(latent));
    open.labels().json(node, latent);
    Json.put(
        node,
        "neuronpedia",
        open.entry().flatMap(e -> e.neuronpediaUrl(latent)).map(Object::toString));
    node.setAll(weights());
    Optional<Findings> findings = open.corpus().findings();
    neighbours(node).forEach(near -> putMeaning(near, findings));
    node.set("tree", findings.flatMap(f -> new LatentTree(open, f).of(latent)).orElse(null));
    node.set("corpus", findings.flatMap(f -> corpus(f)).orElse(null));
    SameCalls.put(node, java(), cli());
    return node;
  }

  /** What the weights tell; computed once, as long as it is remembered. */
  private ObjectNode weights() throws IOException {
    ObjectNode kept = open.latents().get(latent);
    if (kept == null) {
      kept = computed();
      open.latents().put(latent, kept);
    }
    return kept.deepCopy();
  }

  private ObjectNode computed() throws IOException {
    ObjectNode node = Json.object();
    Json.put(node, "threshold", sae.thresholds()[latent]);
    Json.put(node, "encoder_bias", sae.encoderBias()[latent]);
    Json.put(node, "decoder_norm", norm(sae.decoderRows(latent, latent + 1)));
    Json.put(
        node,
        "published_density",
        sae.logSparsity().map(log -> Math.pow(10, log[latent])).orElse(Double.NaN));
    ObjectNode nearest = node.putObject("nearest");
    nearest.set("decoder", json(nearest(Direction.DECODER)));
    nearest.set("encoder", json(nearest(Direction.ENCODER)));
    ArrayNode relatives = node.putArray("relatives");
    for (int level = 0; level < levels.count(); level++) {
      if (level != levels.of(latent)) {
        relatives.addObject().put("level", level).set("latents", json(relatives(level)));
      }
    }
    putLogits(node);
    return node;
  }

  /** What this latent promotes, and the first word of it for those that are near. */
  private void putLogits(ObjectNode node) throws IOException {
    List<ObjectNode> near = neighbours(node);
    List<Integer> latents = near.stream().map(n -> n.path("latent").intValue()).toList();
    Optional<LatentLogits> logits = LatentLogits.of(open, latent, latents);
    node.set("logits", logits.map(LatentLogits::json).orElse(null));
    for (ObjectNode one : near) {
      Json.put(one, "promoted", logits.map(l -> l.likeliest(one.path("latent").intValue())));
    }
  }

  /** All latents that an answer names by their directions. */
  private static List<ObjectNode> neighbours(ObjectNode node) {
    List<ObjectNode> near = new ArrayList<>();
    node.path("nearest").forEach(list -> list.forEach(n -> near.add((ObjectNode) n)));
    node.path("relatives")
        .forEach(level -> level.path("latents").forEach(n -> near.add((ObjectNode) n)));
    return near;
  }

  private static double norm(float[] row) {
    double square = 0;
    for (float value : row) {
      square += (double) value * value;
    }
    return Math.sqrt(square);
  }

  private List<Neighbour> nearest(Direction direction) {
    return find(new NearestLatents(sae, sae, direction, NEAREST));
  }

  private List<Neighbour> relatives(int level) {
    return find(
        new NearestLatents(sae, sae, Direction.DECODER, RELATIVES)
            .within(levels.from(level), levels.to(level)));
  }

  private List<Neighbour> find(NearestLatents search) {
    return search.find(new int[] {latent}, done -> {}).get(0);
  }

  private ArrayNode json(List<Neighbour> neighbours) {
    ArrayNode array = Json.array();
    for (Neighbour neighbour : neighbours) {
      ObjectNode node = array.addObject().put("latent", neighbour.latent());
      node.put("level", levels.of(neighbour.latent()));
      Json.put(node, "cosine", neighbour.cosine());
    }
    return array;
  }

  /** Adds today's label, and the tokens of the corpus on which a latent is strongest. */
  private void putMeaning(ObjectNode node, Optional<Findings> findings) {
    int one = node.path("latent").intValue();
    Json.put(node, "label", open.labels().text(one));
    Json.put(node, "top_tokens", findings.flatMap(found -> found.words(one)));
  }

  private Optional<ObjectNode> corpus(Findings findings) {
    return findings
        .latent(latent)
        .map(
            found -> {
              ObjectNode node = Json.object().put("source", open.corpus().source());
              node.put("rows", findings.rows());
              for (String name :
                  List.of("firings", "density", "mean_activation", "max_activation")) {
                node.set(name, found.get(name));
              }
              node.set("histogram", found.get("activation_histogram"));
              node.set("contexts", contexts(found.path("contexts")));
              node.set("examples", contexts(found.path("examples")));
              node.set("absorption", found.get("absorption"));
              return node;
            });
  }

  private static ArrayNode contexts(Iterable<JsonNode> found) {
    ArrayNode contexts = Json.array();
    for (JsonNode context : found) {
      ObjectNode node = contexts.addObject();
      node.set("tokens", context.get("tokens"));
      node.set("activations", context.get("activations"));
      node.put("at", context.path("row").longValue() - context.path("first_row").longValue());
      node.set("repeats", context.get("repeats"));
      node.set("row", context.get("row"));
    }
    return contexts;
  }

  private String java() {
    List<String> lines = new ArrayList<>();
    lines.add("float[] direction = sae.decoderRows(%d, %d);".formatted(latent, latent + 1));
    lines.add("NearestLatents nearest = new NearestLatents(sae, sae, Direction.DECODER, 10);");
    lines.add("System.out.println(nearest.find(new int[] {%d}, done -> {}));".formatted(latent));
    if (!LatentLogits.areDefined(open)) {
      return SameCalls.java(open.name(), String.join("\n", lines));
    }
    lines.add("try (NDManager manager = NDManager.newBaseManager(Device.cpu(), \"PyTorch\")) {");
    lines.add("  NDArray row = manager.create(direction, new Shape(1, sae.dOut()));");
    lines.add("  NDArray logits = model.unembed(row, manager);");
    lines.add("}");
    return SameCalls.javaWithModel(open.name(), String.join("\n", lines));
  }

  private Optional<String> cli() {
    List<String> corpus = open.corpus().words();
    if (corpus.isEmpty()) {
      return Optional.empty();
    }
    List<String> words = new ArrayList<>(corpus);
    words.addAll(List.of("--latent", Integer.toString(latent), "--json"));
    return Optional.of(SameCalls.cli("explore", open.name(), words));
  }
}
