package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code --layers} of {@code evaluate}, {@code encode}, {@code top} and {@code explore}, on a
 * release with SAEs at three layers of the bundled model.
 */
class LayersTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path BOOKWORM = SourceFiles.PROJECT.resolve("releases/bookworm-3m");

  /** Texts of the corpus, about 180 tokens. */
  private static final int TEXTS = 6;

  @TempDir private Path folder;
  private Path registry;
  private Path corpus;
  private Path ids;

  @BeforeEach
  void writeReleaseAndTexts() throws IOException {
    ObjectNode release = JSON.createObjectNode().put("format_version", 1).put("release", "mine");
    release.put("description", "Three copies of an SAE.").put("model", "bookworm-3m");
    release.putObject("location").put("type", "directory");
    release.put("d_in", 128).put("d_sae", 2048).put("training_k", 24);
    List.of(32, 128, 512, 2048).forEach(release.putArray("widths")::add);
    ArrayNode saes = release.putArray("saes");
    for (int layer : List.of(2, 5, 6)) {
      ObjectNode sae = saes.addObject().put("id", "layer" + layer).put("layer", layer);
      sae.put("path", "layer" + layer).put("hook_point", hook(layer));
      if (layer == 5) {
        sae.put("explained_variance", 0.8998);
      }
      writeSae(layer, 128);
    }
    registry = folder.resolve("mine.json");
    JSON.writeValue(registry.toFile(), release);
    JsonNode texts = JSON.readTree(BOOKWORM.resolve("texts.json").toFile()).get("texts");
    StringBuilder words = new StringBuilder();
    List<JsonNode> lists = new ArrayList<>();
    for (int t = 0; t < TEXTS; t++) {
      JsonNode text = texts.get(t);
      words.append(text.get("text").textValue()).append(' ');
      lists.add(text.get("ids"));
    }
    corpus = Files.writeString(folder.resolve("corpus.txt"), words);
    ids = folder.resolve("ids.json");
    JSON.writeValue(ids.toFile(), lists);
  }

  private static String hook(int layer) {
    return "blocks." + layer + ".hook_resid_post";
  }

  private void writeSae(int layer, int contextSize) throws IOException {
    Path to = Files.createDirectories(folder.resolve("layer" + layer));
    Path from = BOOKWORM.resolve("blocks.5.hook_resid_post");
    ObjectNode config = (ObjectNode) JSON.readTree(from.resolve("cfg.json").toFile());
    ((ObjectNode) config.get("metadata"))
        .put("hook_name", hook(layer))
        .put("context_size", contextSize);
    JSON.writeValue(to.resolve("cfg.json").toFile(), config);
    Path weights = to.resolve("sae_weights.safetensors");
    if (!Files.exists(weights)) {
      Files.copy(from.resolve("sae_weights.safetensors"), weights);
    }
  }

  private void bringModel(String modelFolder) throws IOException {
    ObjectNode release = (ObjectNode) JSON.readTree(registry.toFile());
    JSON.writeValue(registry.toFile(), release.put("model_folder", modelFolder));
  }

  /** The files of the SAE name bookworm-3m, which the program brings. */
  @Test
  void modelFolderOfARelease_goesBeforeTheModelThatTheFilesName() throws IOException {
    bringModel("brought");
    Cli.Result missing = run("layer5", "--ids", ids);
    assertThat(missing.code()).isNotZero();
    assertThat(missing.err()).contains(folder.resolve("brought").toString());
    Files.createDirectories(folder.resolve("brought"));
    for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
      Files.copy(BOOKWORM.resolve("model").resolve(name), folder.resolve("brought").resolve(name));
    }
    for (String[] words : new String[][] {{"layer5"}, {"--layers", "5"}, {"layer5", "--loss"}}) {
      Cli.Result found = succeed(Stream.concat(Stream.of(words), ofIds()).toArray());
      assertThat(found.err())
          .containsOnlyOnce("the language model is ")
          .contains(folder.resolve("brought").toString());
      assertThat(found.json().has("note")).isFalse();
    }
    assertThat(succeed("layer5", "--ids", ids, "-q").err()).doesNotContain("language model");
  }

  private Stream<Object> ofIds() {
    return Stream.of("--ids", ids, "--json");
  }

  @Test
  void layers_ofWhichSomeAreNotThere_areToldOf() {
    assertThat(succeed("--layers", "4-9", "--ids", ids).err())
        .contains("--layers: release mine has no SAE of layers 4, 7-9, which are left out");
    assertThat(succeed("--layers", "5-6", "--ids", ids).err()).doesNotContain("left out");
  }

  private Cli.Result run(Object... more) {
    return Cli.run(
        Stream.concat(Stream.of("evaluate", "mine", "--registry", registry), Stream.of(more))
            .toArray());
  }

  private Cli.Result succeed(Object... more) {
    Cli.Result result = run(more);
    assertThat(result.code()).as(result.err()).isZero();
    return result;
  }

  @Test
  void layers_haveTheFiguresOfSeparateRuns() throws IOException {
    JsonNode result =
        succeed("--layers", "2,5-6", "--text-file", corpus, "--loss", "--json").json();
    assertThat(result.get("context_size").intValue()).isEqualTo(128);
    assertThat(result.get("model_arithmetic").textValue()).isEqualTo("float32");
    assertThat(result.get("text_files").get(0).textValue()).isEqualTo(corpus.toString());
    assertThat(result.get("saes").findValuesAsText("id"))
        .containsExactly("layer2", "layer5", "layer6");
    for (JsonNode sae : result.get("saes")) {
      JsonNode alone =
          succeed(sae.get("id").textValue(), "--text-file", corpus, "--loss", "--json").json();
      assertThat(sae.get("rows")).isEqualTo(alone.get("rows"));
      assertThat(sae.get("masked_rows").intValue()).isPositive();
      assertThat(sae.get("masked_rows")).isEqualTo(alone.get("masked_rows"));
      assertThat(sae.get("explained_variance").doubleValue())
          .isCloseTo(alone.at("/widths/3/explained_variance/pooled").doubleValue(), within(1e-12));
      assertThat(sae.get("l0")).isEqualTo(alone.at("/widths/3/sparsity/l0"));
      assertThat(sae.get("loss")).isEqualTo(alone.get("loss"));
      assertThat(sae.get("loss_recovered")).isEqualTo(alone.at("/loss/widths/2048/recovered"));
    }
    JsonNode published = result.get("saes").get(1);
    assertThat(published.get("published_explained_variance").doubleValue()).isEqualTo(0.8998);
    assertThat(published.get("difference").doubleValue())
        .isCloseTo(published.get("explained_variance").doubleValue() - 0.8998, within(1e-12));
    assertThat(published.get("training_l0").intValue()).isEqualTo(24);
    assertThat(result.get("saes").get(0).get("published_explained_variance").isNull()).isTrue();
  }

  @Test
  void table_saysWhatDecidesOnTheFigures() throws IOException {
    Path csv = folder.resolve("layers.csv");
    String out = succeed("--layers", "2,5", "--text-file", corpus, "--csv", csv).out();
    assertThat(out)
        .contains("contexts of up to 128", "the model in float32, the SAEs in float32")
        .contains(
            "left out: 2 rows of special tokens such as <bos>, as in the training of the SAEs")
        .containsPattern("layer +SAE +rows +explained variance +published +difference +L0")
        .containsPattern("5 +layer5 +175 +0\\.8\\d+ +0\\.8998 +-0\\.0\\d+ +\\d+\\.\\d+ +24");
    List<String> lines = Files.readAllLines(csv);
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0)).startsWith("layer,id,hook_point,dtype,rows,masked_rows");
    assertThat(lines.get(1)).startsWith("2,layer2,blocks.2.hook_resid_post,float32,175,2,0,0.");
    assertThat(lines.get(1).split(",")).hasSameSizeAs(lines.get(0).split(","));
  }

  @Test
  void prefix_isNotComparedWithWhatIsPublishedOfTheWhole() throws IOException {
    JsonNode sae =
        succeed("--layers", "5", "--ids", ids, "--prefix", 128, "--json").json().get("saes").get(0);
    assertThat(sae.get("explained_variance").doubleValue()).isBetween(0.5, 0.8);
    assertThat(sae.get("published_explained_variance").isNull()).isTrue();
    assertThat(sae.get("training_l0").isNull()).isTrue();
  }

  @Test
  void differingContexts_needASize() throws IOException {
    writeSae(6, 64);
    Cli.Result result = run("--layers", "5-6", "--text-file", corpus);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("layer5 and layer6", "of 128 and of 64", "--context-size");
    assertThat(succeed("--layers", "5-6", "--text-file", corpus, "--context-size", 32).out())
        .contains("contexts of up to 32");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "layer5 --layers 5 --ids IDS | either --layers or SAE_ID",
        "--layers 7-9 --ids IDS | no SAE of layers 7-9; it has those of 2, 5, 6",
        "--layers 5 | --layers is for text",
        "--layers 5 -i x.npy | --layers is for text",
        "--layers 5 --ids IDS --checkpoint x | --checkpoint is for one SAE",
        "--layers 5 --ids IDS --html x | --html is for one SAE",
        "--layers 5 --ids IDS --latents-csv x | --latents-csv is for one SAE",
        "--layers 5 --ids IDS --target x | --target is for one SAE",
        "--layers 6-5 --ids IDS | rising range",
      })
  void wrongUse_isRefusedByName(String command, String problem) {
    Cli.Result result = run((Object[]) command.replace("IDS", ids.toString()).split(" "));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains(problem);
  }

  /** Lets the SAE of layer 5 not say that it was trained without special tokens. */
  private void forgetExclusion() throws IOException {
    Path file = folder.resolve("layer5/cfg.json");
    ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
    assertThat(((ObjectNode) config.get("metadata")).remove("exclude_special_tokens")).isNotNull();
    JSON.writeValue(file.toFile(), config);
  }

  @Test
  void skipSpecialTokens_givesTheFiguresOfAnSaeThatSaysSo() throws IOException {
    Object[] layers = {"--layers", "5", "--ids", ids, "--loss"};
    JsonNode expected = succeed(with(layers, "--json")).json().get("saes").get(0);
    forgetExclusion();
    assertThat(succeed(layers).out()).contains("all rows count, those of special tokens too");
    JsonNode found = succeed(with(layers, "--json", "--skip-special-tokens")).json();
    assertThat(found.get("skip_special_tokens").booleanValue()).isTrue();
    assertThat(found.get("saes").get(0)).isEqualTo(expected);
    assertThat(succeed(with(layers, "--skip-special-tokens")).out())
        .contains(
            "left out: 6 rows of special tokens such as <bos>, as --skip-special-tokens asks");
  }

  @Test
  void skipSpecialTokens_ofOneSae_leavesThemOutOfItsFiguresAndLosses() throws IOException {
    Object[] alone = {"layer5", "--ids", ids, "--loss", "--json"};
    JsonNode expected = succeed(alone).json();
    forgetExclusion();
    assertThat(succeed(alone).json().get("loss")).isNotEqualTo(expected.get("loss"));
    Cli.Result skipped = succeed(with(alone, "--skip-special-tokens"));
    assertThat(skipped.err()).contains("6 of", "left out, as --skip-special-tokens asks");
    assertThat(skipped.json().get("widths")).isEqualTo(expected.get("widths"));
    assertThat(skipped.json().get("loss")).isEqualTo(expected.get("loss"));
  }

  @Test
  void skipSpecialTokens_withoutTextOrWithAMask_isRefused() {
    Cli.Result files = run("layer5", "-i", "x.npy", "--skip-special-tokens");
    assertThat(files.code()).isEqualTo(2);
    assertThat(files.err()).contains("--skip-special-tokens is for text");
  }

  private static Object[] with(Object[] first, Object... more) {
    return Stream.concat(Stream.of(first), Stream.of(more)).toArray();
  }

  @Test
  void layersOfAFolder_areRefused() {
    Cli.Result result =
        Cli.run("evaluate", "--dir", folder.resolve("layer5"), "--layers", "5", "--ids", ids);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("either --layers or --dir");
  }

  private Cli.Result encode(Object... more) {
    return Cli.run(
        Stream.concat(Stream.of("encode", "mine", "--registry", registry), Stream.of(more))
            .toArray());
  }

  @Test
  void encodedLayers_ofAFolderWithFewerLayers_areAdded() {
    Path out = folder.resolve("latents");
    encode("--layers", "2,5", "--text-file", corpus, "-o", out);
    assertThat(encode("--layers", "2,5-6", "--text-file", corpus, "-o", out).out())
        .containsOnlyOnce("layer6");
    assertThat(out.resolve("layer6")).isDirectory();
  }

  @Test
  void encodedLayers_haveTheBytesOfSeparateRuns() throws IOException {
    Path together = folder.resolve("together");
    Cli.Result result =
        encode("--layers", "2,5-6", "--text-file", corpus, "-o", together, "--json");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.json().get("saes").findValuesAsText("sae_id"))
        .containsExactly("layer2", "layer5", "layer6");
    for (String id : List.of("layer2", "layer5", "layer6")) {
      Path alone = folder.resolve("alone-" + id);
      assertThat(encode(id, "--text-file", corpus, "-o", alone).code()).isZero();
      List<Path> shards = files(alone, ".safetensors");
      assertThat(shards).isNotEmpty();
      for (Path shard : shards) {
        assertThat(together.resolve(id).resolve(shard.getFileName())).hasSameBinaryContentAs(shard);
      }
    }
  }

  private static List<Path> files(Path folder, String ending) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(ending)).toList();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "layer5 --layers 5 --ids IDS -o out | either --layers or SAE_ID",
        "--layers 5 -i IDS -o out | --layers is for text",
        "--layers 5 --ids IDS -o out.safetensors | --layers writes a folder for each SAE",
        "--layers 7-9 --ids IDS -o out | no SAE of layers 7-9",
      })
  void wrongUseOfEncode_isRefusedByName(String command, String problem) {
    Object[] words =
        Stream.of(command.split(" "))
            .map(word -> word.replace("IDS", ids.toString()))
            .map(word -> word.startsWith("out") ? folder.resolve(word).toString() : word)
            .toArray();
    Cli.Result result = encode(words);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains(problem);
    assertThat(folder.resolve("out")).doesNotExist();
  }

  private Cli.Result other(String command, Object... more) {
    Cli.Result result =
        Cli.run(
            Stream.concat(Stream.of(command, "mine", "--registry", registry), Stream.of(more))
                .toArray());
    assertThat(result.code()).as(result.err()).isZero();
    return result;
  }

  @Test
  void topOfLayers_isThatOfSeparateRuns() throws IOException {
    Object[] options = {"--text-file", corpus, "--rows", "0-30"};
    JsonNode saes = other("top", with(options, "--layers", "2,5-6", "--json")).json().get("saes");
    assertThat(saes.findValuesAsText("sae_id")).containsExactly("layer2", "layer5", "layer6");
    for (JsonNode sae : saes) {
      String id = sae.get("sae_id").textValue();
      JsonNode alone = other("top", with(options, id, "--json")).json();
      assertThat(sae.get("rows")).hasSize(31).isEqualTo(alone.get("rows"));
    }
    assertThat(saes.get(0).get("rows")).isNotEqualTo(saes.get(1).get("rows"));
    List<String> texts = saes.get(0).get("rows").findValuesAsText("token");
    String spelled = String.join("", texts.subList(1, texts.size())).replace('▁', ' ').strip();
    assertThat(texts.get(0)).isEqualTo("<bos>");
    assertThat(Files.readString(corpus)).startsWith(spelled);
    String text = other("top", with(options, "--layers", "2,5")).out();
    assertThat(text)
        .contains("mine layer2\n" + other("top", with(options, "layer2")).out())
        .contains("mine layer5\n" + other("top", with(options, "layer5")).out());
  }

  @Test
  void exploredLayers_haveTheResultsOfSeparateRuns() throws IOException {
    Path pages = folder.resolve("pages");
    Path tables = folder.resolve("tables");
    Object[] options = {"--ids", ids, "--latent", "0-40"};
    Object[] together = {"--layers", "2,6", "--html", pages, "--csv", tables, "--json"};
    JsonNode saes = other("explore", with(options, together)).json().get("saes");
    assertThat(saes.findValuesAsText("sae_id")).containsExactly("layer2", "layer6");
    for (JsonNode sae : saes) {
      String id = sae.get("sae_id").textValue();
      Path page = folder.resolve(id + ".html");
      Path table = folder.resolve(id + ".csv");
      JsonNode alone =
          other("explore", with(options, id, "--html", page, "--csv", table, "--json")).json();
      ((ObjectNode) sae).remove("sae_id");
      assertThat(sae).isEqualTo(alone);
      assertThat(pages.resolve(id + ".html")).hasSameBinaryContentAs(page);
      assertThat(tables.resolve(id + ".csv")).hasSameBinaryContentAs(table);
    }
    assertThat(other("explore", with(options, "--layers", "5-6")).out())
        .contains("mine layer5\nLatent 0, level 0", "mine layer6\nLatent 0, level 0");
  }

  @Test
  void exploredLayers_leaveSpecialTokensOutWhereTheirTrainingDid() throws IOException {
    forgetExclusion();
    Object[] layers = {"--layers", "2,5", "--ids", ids, "--latent", "0", "--json"};
    Cli.Result result = other("explore", layers);
    JsonNode saes = result.json().get("saes");
    int left = saes.get(0).get("rows").intValue();
    assertThat(saes.get(1).get("rows").intValue()).isEqualTo(left + TEXTS);
    assertThat(result.err()).containsOnlyOnce("left out, as in the SAE's training");
    for (JsonNode sae :
        other("explore", with(layers, "--skip-special-tokens")).json().get("saes")) {
      assertThat(sae.get("rows").intValue()).isEqualTo(left);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "top layer5 --layers 5 --ids IDS | either --layers or SAE_ID",
        "top --layers 5 -i x.npy | --layers is for text",
        "top --layers 5 --ids IDS --labels-file x | --labels-file is for one SAE",
        "top --layers 7-9 --ids IDS | no SAE of layers 7-9",
        "explore --layers 5 | --layers is for text",
        "explore --layers 5 --ids IDS --against a:b | --against is for one SAE",
        "explore --layers 5 --ids IDS --against-input IDS | is for one SAE",
        "explore --layers 5 --ids IDS --labels-file x | --labels-file is for one SAE",
        "explore --layers 5 --ids IDS --html CORPUS | is a file",
      })
  void wrongUseOfOthers_isRefusedByName(String command, String problem) {
    String[] words =
        (command + " --registry " + registry)
            .replace("IDS", ids.toString())
            .replace("CORPUS", corpus.toString())
            .split(" ");
    Cli.Result result =
        Cli.run(Stream.concat(Stream.of(words[0], "mine"), Stream.of(words).skip(1)).toArray());
    assertThat(result.code()).isNotZero();
    assertThat(result.err()).contains(problem).hasLineCount(1);
  }
}
