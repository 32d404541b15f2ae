package io.matryoshka.sae.registry;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tables that ship with the library, against the published figures in releases.csv. */
class BundledReleasesTest {

  private static final String DEMO = "all-minilm-l6-v2-matryoshka-demo";
  private static final Path FOLDER = Path.of("releases");
  private static final Map<String, Integer> D_IN =
      Map.of("gemma-2-2b", 2304, "gemma-2-9b", 3584, "gemma-3-1b", 1152);
  private static final JsonMapper EXACT =
      JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

  private final ReleaseRegistry registry = ReleaseRegistry.bundled();

  @ParameterizedTest
  @MethodSource("rows")
  void entry_equalsPublishedRow(Map<String, String> row) {
    String saeId = row.get("sae_id");
    Release release = registry.release(row.get("release"));
    SaeEntry sae = registry.find(release.id(), saeId);

    assertThat(release.model()).isEqualTo(row.get("model"));
    assertThat(release.modelRepo()).contains(row.get("hf_model"));
    assertThat(sae.release()).isEqualTo(release.id());
    assertThat(sae.saeId()).isEqualTo(saeId);
    assertThat(sae.location())
        .isEqualTo(new SaeLocation.Hub(row.get("hf_repo"), row.get("path"), "main"));
    assertThat(sae.layer()).hasValue(Integer.parseInt(row.get("layer")));
    assertThat(sae.hookPoint()).isEqualTo(saeId);
    assertThat(sae.dIn()).isEqualTo(D_IN.get(row.get("model")));
    assertThat(sae.dSae()).isEqualTo(Integer.parseInt(row.get("d_sae")));
    assertThat(sae.widths()).containsExactly(128, 512, 2048, 8192, 32768);
    assertThat(sae.trainingK()).hasValue(Integer.parseInt(row.get("l0")));
    assertThat(sae.explainedVariance()).hasValue(Double.parseDouble(row.get("explained_variance")));
    assertThat(sae.neuronpediaId())
        .isEqualTo(Optional.of(row.get("neuronpedia_id")).filter(id -> !id.isEmpty()));
    assertThat(sae.neuronpediaUrl(3))
        .isEqualTo(
            sae.neuronpediaId().map(id -> URI.create("https://www.neuronpedia.org/" + id + "/3")));
    assertThat(sae.normScalingFactor()).isEmpty();
    String loss = release.id().contains("snap") ? "mse-to-l2-snap" : "standard";
    assertThat(sae.training()).contains(new TrainingFacts(750_000_000, "the Pile", loss));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void explainedVariance_keepsPublishedDigits(Map<String, String> row) throws IOException {
    JsonNode table = EXACT.readTree(FOLDER.resolve(row.get("release") + ".json").toFile());

    assertThat(table.get("saes"))
        .filteredOn(sae -> sae.get("id").textValue().equals(row.get("sae_id")))
        .singleElement()
        .extracting(sae -> sae.get("explained_variance").decimalValue().toPlainString())
        .isEqualTo(row.get("explained_variance"));
  }

  @Test
  void releases_holdPublishedRowsInOrderAndDemo() throws IOException {
    List<String> expected =
        new ArrayList<>(rows().map(row -> row.get("release") + " " + row.get("sae_id")).toList());
    assertThat(expected).hasSize(116);
    expected.add(DEMO + " last_hidden_state");
    expected.add("bookworm-3m-res-matryoshka-demo blocks.5.hook_resid_post");

    assertThat(registry.releases())
        .filteredOn(release -> release.id().endsWith("-dc") || release.id().endsWith("-demo"))
        .flatExtracting(Release::saes)
        .extracting(sae -> sae.release() + " " + sae.saeId())
        .containsExactlyElementsOf(expected);
  }

  @Test
  void index_listsEveryTableOfFolder() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      List<String> tables =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(".json") && !name.equals("index.json"))
              .toList();
      byte[] index = Files.readAllBytes(FOLDER.resolve("index.json"));

      assertThat(Set.copyOf(RegistryReader.readIndex("index.json", index).values()))
          .containsExactlyInAnyOrderElementsOf(tables);
    }
  }

  @Test
  void index_namesTheReleasesOfEveryTable() throws IOException {
    Map<String, String> index =
        RegistryReader.readIndex("index.json", Files.readAllBytes(FOLDER.resolve("index.json")));
    Map<String, String> found = new LinkedHashMap<>();
    for (String file : new LinkedHashSet<>(index.values())) {
      RegistryReader.read(file, Files.readAllBytes(FOLDER.resolve(file)), FOLDER)
          .forEach(release -> found.put(release.id(), file));
    }
    assertThat(index).containsExactlyEntriesOf(found);
  }

  @Test
  void bundled_calledTwice_returnsSameRegistry() {
    assertThat(ReleaseRegistry.bundled()).isSameAs(registry);
  }

  @Test
  void demo_hasFiguresOfItsEvaluation() throws IOException {
    SaeEntry sae = registry.find(DEMO, "last_hidden_state");
    JsonNode stats = EXACT.readTree(resource(new SaeLocation.Bundled("demo"), "stats.json"));
    JsonNode training = stats.get("training");

    assertThat(sae.widths()).isEqualTo(integers(stats.get("matryoshka_widths")));
    assertThat(sae.trainingK()).hasValue(training.get("k").intValue());
    assertThat(sae.explainedVariance())
        .hasValue(stats.get("levels").get(3).get("explained_variance").doubleValue())
        .hasValue(0.732);
    assertThat(sae.training().orElseThrow().tokens())
        .isEqualTo(training.get("train_tokens_seen").longValue());
    assertThat(sae.layer()).isEqualTo(OptionalInt.empty());
    assertThat(sae.neuronpediaUrl(0)).isEmpty();
  }

  @Test
  void demo_agreesWithItsConfiguration() throws IOException {
    SaeEntry sae = registry.find(DEMO, "last_hidden_state");
    SaeLocation.Bundled location = (SaeLocation.Bundled) sae.location();
    JsonNode config = EXACT.readTree(resource(location, "cfg.json"));

    assertThat(location.resourceFolder()).isEqualTo("demo/all-minilm-l6-v2-matryoshka");
    assertThat(sae.dIn()).isEqualTo(config.get("d_in").intValue()).isEqualTo(384);
    assertThat(sae.dSae()).isEqualTo(config.get("d_sae").intValue()).isEqualTo(2048);
    assertThat(sae.hookPoint()).isEqualTo(config.at("/metadata/hook_name").textValue());
    assertThat(registry.release(DEMO).modelRepo())
        .contains(config.at("/metadata/model_name").textValue());
    assertThat(location.resource("sae_weights.safetensors")).isPresent();
    assertThat(location.resource("sparsity.safetensors")).isPresent();
    assertThat(location.resource("absent.json")).isEmpty();
  }

  @Test
  void demo_shipsItsDataAndLicenceNotices() throws IOException {
    SaeLocation.Bundled folder = new SaeLocation.Bundled("demo");

    assertThat(folder.resource("activations.safetensors")).isPresent();
    assertThat(folder.resource("tokens.json")).isPresent();
    assertThat(new String(resource(folder, "PROVENANCE.md"), StandardCharsets.UTF_8))
        .contains("WordNet 3.0 Copyright 2006 by Princeton University");
  }

  static Stream<Map<String, String>> rows() throws IOException {
    try (InputStream in = BundledReleasesTest.class.getResourceAsStream("/releases.csv")) {
      List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      String[] names = lines.get(0).split(",", -1);
      return lines.stream().skip(1).map(line -> row(names, line.split(",", -1)));
    }
  }

  private static Map<String, String> row(String[] names, String[] values) {
    assertThat(values).hasSameSizeAs(names);
    Map<String, String> row = new LinkedHashMap<>();
    for (int i = 0; i < names.length; i++) {
      row.put(names[i], values[i]);
    }
    return row;
  }

  private static byte[] resource(SaeLocation.Bundled folder, String name) throws IOException {
    try (InputStream in = folder.resource(name).orElseThrow().openStream()) {
      return in.readAllBytes();
    }
  }

  private static List<Integer> integers(JsonNode list) {
    List<Integer> values = new ArrayList<>();
    list.forEach(value -> values.add(value.intValue()));
    return values;
  }
}
