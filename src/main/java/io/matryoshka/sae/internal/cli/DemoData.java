package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.internal.io.TemporaryFile;
import io.matryoshka.sae.registry.SaeLocation;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is bundled for the demonstration; releases/demo/PROVENANCE.md tells where it comes from.
 *
 * @param activations {@code [n, d_in]} real activations that the SAE was not trained on
 * @param sentences the texts that they belong to
 * @param readings what some latents stand for, read by hand
 * @param references what SAELens gave on the same activations, by prefix width
 */
record DemoData(
    float[] activations,
    List<Sentence> sentences,
    Map<Integer, String> readings,
    Map<Integer, Reference> references) {

  static final String RELEASE = "all-minilm-l6-v2-matryoshka-demo";
  static final String SAE_ID = "last_hidden_state";
  static final int D_IN = 384;

  private static final SaeLocation.Bundled FOLDER = new SaeLocation.Bundled("demo");

  /**
   * A sentence.
   *
   * @param source what kind of text it comes from
   * @param text the sentence
   * @param firstRow the row of its first token
   * @param tokens its tokens
   */
  record Sentence(String source, String text, int firstRow, List<String> tokens) {}

  /** Figures of SAELens; units and directions as in the library's own. */
  record Reference(double explainedVariance, double l0, double cosineSimilarity) {}

  static DemoData load() throws IOException {
    List<Sentence> sentences = new ArrayList<>();
    for (JsonNode s : json("tokens.json").get("sentences")) {
      List<String> tokens = new ArrayList<>();
      s.get("tokens").forEach(t -> tokens.add(t.textValue()));
      sentences.add(
          new Sentence(
              s.get("source").textValue(),
              s.get("text").textValue(),
              s.get("row_start").intValue(),
              tokens));
    }
    Map<Integer, String> readings = new LinkedHashMap<>();
    json("readings.json")
        .properties()
        .forEach(e -> readings.put(Integer.valueOf(e.getKey()), e.getValue().textValue()));
    Map<Integer, Reference> references = new LinkedHashMap<>();
    for (JsonNode level : json("stats.json").at("/demo/levels")) {
      references.put(
          level.get("width").intValue(),
          new Reference(
              level.get("explained_variance").doubleValue(),
              level.get("l0").doubleValue(),
              level.get("cosine_similarity").doubleValue()));
    }
    return new DemoData(readActivations(), sentences, readings, references);
  }

  /** Copies the file out of the jar, as only files can be mapped. */
  private static float[] readActivations() throws IOException {
    Path folder = Path.of(System.getProperty("java.io.tmpdir"));
    try (TemporaryFile copy = TemporaryFile.create(folder, "activations.safetensors");
        InputStream in = open("activations.safetensors")) {
      copy.channel().write(ByteBuffer.wrap(in.readAllBytes()));
      try (SafetensorsFile file = SafetensorsFile.open(copy.path())) {
        return file.readFloats("activations");
      }
    }
  }

  private static JsonNode json(String name) throws IOException {
    try (InputStream in = open(name)) {
      return new ObjectMapper().readTree(in);
    }
  }

  static InputStream open(String name) throws IOException {
    return FOLDER
        .resource(name)
        .orElseThrow(
            () -> new IOException("demo/" + name + " is missing; use the jar as published"))
        .openStream();
  }
}
