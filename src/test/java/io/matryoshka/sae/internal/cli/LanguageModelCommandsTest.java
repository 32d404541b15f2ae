package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.internal.io.ProcessLock;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands that begin with text or token ids, on the bundled language model. */
class LanguageModelCommandsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String RELEASE = "bookworm-3m-res-matryoshka-demo";
  private static final Path FOLDER = SourceFiles.PROJECT.resolve("releases/bookworm-3m");
  private static final String HOOK = "blocks.5.hook_resid_post";

  @TempDir private Path folder;
  private JsonNode texts;
  private Path ids;

  @BeforeEach
  void writeIds() throws IOException {
    texts = JSON.readTree(FOLDER.resolve("texts.json").toFile());
    List<JsonNode> lists = new ArrayList<>();
    texts.get("texts").forEach(text -> lists.add(text.get("ids")));
    ids = folder.resolve("ids.json");
    JSON.writeValue(ids.toFile(), lists);
  }

  private static SafetensorsFile reference() throws IOException {
    return SafetensorsFile.open(
        SourceFiles.PROJECT.resolve("src/test/resources/lm/bookworm-3m/reference.safetensors"));
  }

  private static Cli.Result succeed(Object... args) {
    Cli.Result result = Cli.run(args);
    assertThat(result.code()).as(result.err()).isZero();
    return result;
  }

  @Test
  void activations_writesOneTensorForEachHook() throws IOException {
    Path out = folder.resolve("out.safetensors");
    succeed(
        "activations",
        "--model",
        FOLDER.resolve("model"),
        "--ids",
        ids,
        "--hooks",
        HOOK + ",model.layers.5.mlp.input,logits",
        "-o",
        out);
    try (SafetensorsFile file = SafetensorsFile.open(out);
        SafetensorsFile reference = reference()) {
      assertThat(file.names())
          .containsExactlyInAnyOrder(HOOK, "model.layers.5.mlp.input", "logits", "row_offsets");
      assertThat(file.readInts("row_offsets")).isEqualTo(reference.readInts("row_offsets"));
      assertThat(file.info("logits").shape()).containsExactly(875, 4096);
      assertThat(file.readFloats(HOOK))
          .usingComparatorWithPrecision(1e-3f)
          .containsExactly(reference.readFloats("resid_post"));
    }
  }

  @Test
  void activationsFolder_isResumedFromFilesThatAreThere() throws IOException {
    Path out = folder.resolve("acts");
    Object[] command = {
      "activations",
      "--model",
      "bookworm-3m",
      "--ids",
      ids,
      "--hooks",
      HOOK,
      "-o",
      out,
      "--texts-per-file",
      "10",
      "--dtype",
      "bfloat16"
    };
    succeed(command);
    Path second = out.resolve("activations-00001.safetensors");
    byte[] before = Files.readAllBytes(second);
    long kept = Files.getLastModifiedTime(out.resolve("activations-00000.safetensors")).toMillis();
    Files.delete(second);
    assertThat(succeed(command).out()).contains("875 rows of 24 texts");
    assertThat(Files.readAllBytes(second)).isEqualTo(before);
    assertThat(Files.getLastModifiedTime(out.resolve("activations-00000.safetensors")).toMillis())
        .isEqualTo(kept);
    try (Stream<Path> files = Files.list(out)) {
      assertThat(files.filter(file -> file.toString().endsWith(".safetensors"))).hasSize(3);
    }
    assertThat(succeed(command).out())
        .contains("875 rows of 24 texts", "875 of the rows were there from an earlier run");
    command[command.length - 1] = "float32";
    Cli.Result other = Cli.run(command);
    assertThat(other.code()).isEqualTo(2);
    assertThat(other.err())
        .contains(
            "another model, other texts or other settings: dtype was \"bfloat16\", now it is \"float32\"");
  }

  @Test
  void activationsFolder_ofOtherProducts_isRefusedByName() {
    Object[] command = {
      "activations",
      "--model",
      "bookworm-3m",
      "--text",
      "One text.",
      "--hooks",
      HOOK,
      "-o",
      folder.resolve("acts")
    };
    Object[] rounded = Arrays.copyOf(command, command.length + 1);
    rounded[command.length] = "--bfloat16-products";
    succeed(command);
    Cli.Result other = Cli.run(rounded);
    assertThat(other.code()).isEqualTo(2);
    assertThat(other.err()).contains("model.bfloat16_products was false, now it is true");
  }

  @Test
  void activationsFolder_toWhichAnotherRunWrites_isRefused() throws IOException {
    Path out = folder.resolve("acts");
    try (ProcessLock other = ProcessLock.tryAcquire(out.resolve(".lock")).orElseThrow()) {
      assertThat(other.excludesProcesses()).isTrue();
      Cli.Result result =
          Cli.run(
              "activations",
              "--model",
              "bookworm-3m",
              "--text",
              "One.",
              "--hooks",
              HOOK,
              "-o",
              out);
      assertThat(result.code()).isNotZero();
      assertThat(result.err()).contains("another run is writing activations to this folder");
    }
    try (Stream<Path> files = Files.list(out)) {
      assertThat(files).hasSize(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"evaluate --checkpoint", "encode -o"})
  void resultOfText_ofOtherProductsOrTexts_isRefusedByName(String command) {
    List<String> words = List.of(command.split(" "));
    Path kept = folder.resolve("kept");
    succeed(words.get(0), RELEASE, "--text", "One text.", words.get(1), kept);
    succeed(words.get(0), RELEASE, "--text", "One text.", words.get(1), kept);
    Cli.Result products =
        Cli.run(
            words.get(0),
            RELEASE,
            "--text",
            "One text.",
            words.get(1),
            kept,
            "--bfloat16-products");
    assertThat(products.code()).isNotZero();
    assertThat(products.err()).contains("source.bfloat16_products was false, now it is true");
    Cli.Result texts = Cli.run(words.get(0), RELEASE, "--text", "One word.", words.get(1), kept);
    assertThat(texts.code()).isNotZero();
    assertThat(texts.err()).contains("source.tokens_sha256 was");
  }

  @Test
  void loss_withACheckpointOfOtherProducts_isRefusedByName() {
    Path kept = folder.resolve("loss.json");
    Object[] command = {"loss", RELEASE, "--text", "One text.", "--checkpoint", kept};
    Object[] rounded = Arrays.copyOf(command, command.length + 1);
    rounded[command.length] = "--bfloat16-products";
    String first = succeed(rounded).out();
    assertThat(succeed(rounded).out()).isEqualTo(first);
    Cli.Result exact = Cli.run(command);
    assertThat(exact.code()).isEqualTo(2);
    assertThat(exact.err()).contains("text.bfloat16_products was true, now it is false");
  }

  @Test
  void encodeIds_hasOneRowForEachToken() throws IOException {
    Path out = folder.resolve("latents.safetensors");
    succeed("encode", RELEASE, "--ids", ids, "-o", out);
    SparseLatents latents = SparseLatents.load(out);
    try (SafetensorsFile reference = reference()) {
      assertThat(latents.rows()).isEqualTo(875);
      assertThat(latents.latents()).isEqualTo(reference.readInts("latent_index"));
    }
  }

  @Test
  void generate_withSteering_printsBothContinuations() throws IOException {
    List<JsonNode> prompts = new ArrayList<>();
    texts.get("continuations").forEach(c -> prompts.add(c.get("prompt_ids")));
    JSON.writeValue(ids.toFile(), prompts);
    JsonNode result =
        succeed(
                "generate",
                RELEASE,
                "--ids",
                ids,
                "--steer",
                "1:24",
                "--max-new-tokens",
                "20",
                "--json")
            .json();
    for (int i = 0; i < prompts.size(); i++) {
      JsonNode expected = texts.get("continuations").get(i);
      JsonNode found = result.get("continuations").get(i);
      assertThat(found.get("clean_ids")).isEqualTo(expected.get("clean_ids"));
      assertThat(found.get("steered_ids")).isEqualTo(expected.get("steered_ids"));
    }
  }

  @Test
  void generate_withModelAlone_printsIds() throws IOException {
    JsonNode result =
        succeed(
                "generate",
                "--model",
                FOLDER.resolve("model"),
                "--text",
                "building: the occupants",
                "--greedy",
                "--max-new-tokens",
                "3",
                "--json")
            .json();
    JsonNode found = result.get("continuations").get(0);
    assertThat(found.get("new_ids")).hasSize(3);
    assertThat(found.get("ids")).hasSize(3 + found.get("prompt_ids").size());
    assertThat(found.get("text").textValue()).isNotEmpty();
  }

  @Test
  void loss_printsLossesOfEachTokenAndMeans() throws IOException {
    JsonNode result = succeed("loss", RELEASE, "--ids", ids, "--json").json();
    JsonNode first = result.get("texts").get(0);
    JsonNode expected = texts.get("texts").get(0);
    assertThat(mean(first.get("cross_entropy")))
        .isCloseTo(expected.get("cross_entropy").doubleValue(), within(1e-5));
    assertThat(mean(first.get("spliced").get("32").get("kl")))
        .isCloseTo(expected.get("spliced").get("32").get("kl").doubleValue(), within(1e-5));
    JsonNode means = result.get("means");
    assertThat(means.get("widths").get("2048").get("recovered").doubleValue())
        .isGreaterThan(means.get("widths").get("32").get("recovered").doubleValue())
        .isBetween(0.9, 1.0);
    JsonNode plain = succeed("loss", "--model", "bookworm-3m", "--ids", ids, "--json").json();
    assertThat(plain.get("texts").get(0).get("cross_entropy"))
        .isEqualTo(first.get("cross_entropy"));
  }

  private static double mean(JsonNode values) {
    double sum = 0;
    for (JsonNode value : values) {
      sum += value.doubleValue();
    }
    return sum / values.size();
  }

  @Test
  void top_ofText_namesItsTokens() {
    Cli.Result result = succeed("top", RELEASE, "--text", "The entire building complained.");
    assertThat(result.out()).contains("<bos>").contains("▁building");
  }

  @Test
  void topAndExplore_ofTextFile_nameItsTokens() throws IOException {
    Path file = Files.writeString(folder.resolve("corpus.txt"), "The entire building complained.");
    assertThat(succeed("top", RELEASE, "--text-file", file).out())
        .contains("<bos>")
        .contains("▁building");
    JsonNode contexts =
        succeed("explore", RELEASE, "--text-file", file, "--json").json().findValue("contexts");
    assertThat(contexts.toString()).contains("▁building").doesNotContainPattern("<\\d+>");
  }

  @Test
  void evaluate_ofTextFile_leavesOutBos() throws IOException {
    Path file = folder.resolve("corpus.txt");
    StringBuilder corpus = new StringBuilder();
    texts.get("texts").forEach(text -> corpus.append(text.get("text").textValue()).append(' '));
    Files.writeString(file, corpus);
    Cli.Result result = succeed("evaluate", RELEASE, "--text-file", file, "--json");
    assertThat(result.err())
        .contains("rows are of special tokens such as <bos> or [CLS] and left out");
    assertThat(result.json().findValues("explained_variance")).isNotEmpty();
    assertThat(succeed("explore", RELEASE, "--text-file", file, "--latent", "1").out())
        .isNotEmpty();
  }

  @Test
  void evaluateWithLoss_hasTheMeansOfTheLossCommand() throws IOException {
    Path html = folder.resolve("report.html");
    Path csv = folder.resolve("widths.csv");
    Object[] command = {
      "evaluate", RELEASE, "--ids", ids, "--loss", "--html", html, "--csv", csv, "--json"
    };
    JsonNode loss = succeed(command).json().get("loss");
    JsonNode expected = succeed("loss", RELEASE, "--ids", ids, "--json").json().get("means");
    assertThat(loss).isEqualTo(expected);
    assertThat(Files.readString(html))
        .contains("Recovered loss by prefix width", "Losses by prefix width");
    List<String> lines = Files.readAllLines(csv);
    List<String> names = List.of(lines.get(0).split(","));
    assertThat(lines.get(1).split(",")[names.indexOf("loss_recovered")])
        .isEqualTo(expected.at("/widths/32/recovered").asText());
  }

  @Test
  void evaluateWithLoss_printsATableOfWidths() {
    assertThat(succeed("evaluate", RELEASE, "--text", "The entire building.", "--loss").out())
        .contains("activations set to zero")
        .containsPattern("width +cross-entropy +KL +recovered");
  }

  @Test
  void evaluateWithLoss_goesOnFromItsOwnCheckpoint() throws IOException {
    Path checkpoint = folder.resolve("run.json");
    Object[] command = {
      "evaluate", RELEASE, "--ids", ids, "--loss", "--checkpoint", checkpoint, "--json"
    };
    JsonNode first = succeed(command).json();
    Path beside = folder.resolve("run.json.loss");
    ObjectNode kept = (ObjectNode) JSON.readTree(beside.toFile());
    assertThat(kept.get("texts").intValue()).isEqualTo(24);
    assertThat(succeed(command).json()).isEqualTo(first);
    kept.put("predictions", 2 * kept.get("predictions").longValue());
    JSON.writeValue(beside.toFile(), kept);
    assertThat(succeed(command).json().at("/loss/cross_entropy_clean").doubleValue())
        .isEqualTo(first.at("/loss/cross_entropy_clean").doubleValue() / 2);
    Cli.Result overwriting =
        Cli.run(
            "evaluate",
            RELEASE,
            "--ids",
            ids,
            "--loss",
            "--checkpoint",
            checkpoint,
            "--csv",
            beside);
    assertThat(overwriting.code()).isEqualTo(2);
    assertThat(overwriting.err()).contains("--checkpoint and --csv both name");
  }

  @Test
  void evaluateWithLoss_needsTextAndTheOwnSelection() {
    Cli.Result files = Cli.run("evaluate", RELEASE, "-i", "x.npy", "--loss");
    assertThat(files.code()).isEqualTo(2);
    assertThat(files.err()).contains("--loss is for text");
    Cli.Result selection = Cli.run("evaluate", RELEASE, "--ids", ids, "--loss", "--top-k", "3");
    assertThat(selection.code()).isEqualTo(2);
    assertThat(selection.err()).contains("leave out --top-k");
  }

  @Test
  void activationsThatDoNotFitTheDisk_areRefused() throws IOException {
    TextActivations.requireRoom(folder, 1);
    assertThatThrownBy(() -> TextActivations.requireRoom(folder, Long.MAX_VALUE))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("are free; set java.io.tmpdir");
  }

  @Test
  void activations_whereTheyCannotGo_areRefusedBeforeTheModelRuns() {
    Object[] command = {
      "activations", "--model", "bookworm-3m", "--ids", ids, "--hooks", HOOK, "-o", null
    };
    command[command.length - 1] = folder.resolve("acts.npy");
    Cli.Result array = Cli.run(command);
    assertThat(array.code()).isEqualTo(2);
    assertThat(array.err()).contains("activations go into a .safetensors file or a folder");
    assertThat(folder.resolve("acts.npy")).doesNotExist();
    command[command.length - 1] = folder.resolve("none/acts.safetensors");
    Cli.Result nowhere = Cli.run(command);
    assertThat(nowhere.code()).isEqualTo(3);
    assertThat(nowhere.err()).contains(folder.resolve("none").toString()).doesNotContain(".tmp");
  }

  @Test
  void largeActivations_areSpokenOf() {
    assertThat(TextActivations.diskNote(folder, 1L << 30)).isEmpty();
    assertThat(TextActivations.diskNote(folder, 3L << 30))
        .hasValueSatisfying(note -> assertThat(note).contains("3.2 GB", folder.toString()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"top", "encode", "evaluate", "explore", "loss", "generate"})
  void saeOfAnotherModel_isRefusedNamingBoth(String command) throws IOException {
    Path other = SourceFiles.PROJECT.resolve("src/test/resources/lm/reference/gemma3");
    List<Object> args = new ArrayList<>(List.of(command, RELEASE, "--ids", ids, "--model", other));
    if (command.equals("encode")) {
      args.addAll(List.of("-o", folder.resolve("latents.safetensors")));
    }
    Cli.Result result = Cli.run(args.toArray());
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err())
        .contains("the SAE (of the model bookworm-3m, d_in 128) does not fit the model " + other)
        .contains("whose width at " + HOOK + " is 48");
    assertThat(folder.resolve("latents.safetensors")).doesNotExist();
  }

  @Test
  void contextsLongerThanThePositions_areRefused_howeverShortTheText() throws IOException {
    Path file = Files.writeString(folder.resolve("corpus.txt"), "A text.");
    Cli.Result result =
        Cli.run("evaluate", RELEASE, "--text-file", file, "--context-size", "100000");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("contexts of 100000 tokens", "takes at most");
  }

  @Test
  void textAndInput_together_areRefused() {
    Cli.Result result = Cli.run("top", RELEASE, "--text", "a", "-i", "x.npy");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("got both");
  }

  @Test
  void unknownHook_isRefusedByName() {
    Cli.Result result =
        Cli.run(
            "activations",
            "--model",
            "bookworm-3m",
            "--ids",
            ids,
            "--hooks",
            "blocks.99.hook_x",
            "-o",
            folder.resolve("x.safetensors"));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("blocks.99.hook_x");
    assertThat(folder.resolve("x.safetensors")).doesNotExist();
  }

  @Test
  void loss_withScaledLatentAtSomePositions_isThatOfAblationsWhereTheFactorIsZero()
      throws IOException {
    String text = "building: the occupants of a building.";
    Object[] scaled = {
      "loss", RELEASE, "--text", text, "--scale", "7:0", "--positions", "3-7,9", "--json"
    };
    Object[] ablated = {
      "loss", RELEASE, "--text", text, "--ablate", "7", "--positions", "3-7", "9", "--json"
    };
    JsonNode changed = succeed(scaled).json();
    assertThat(changed).isEqualTo(succeed(ablated).json());
    JsonNode kl = changed.at("/texts/0/changed/kl");
    assertThat(kl.get(2).doubleValue()).isCloseTo(0, within(1e-9));
    assertThat(kl.get(9).doubleValue()).isPositive();
  }

  @Test
  void scaleWithoutFactor_isNamed() {
    Cli.Result result = Cli.run("loss", RELEASE, "--text", "x", "--scale", "22");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("--scale: expected LATENT:FACTOR such as 497:60, got '22'");
  }
}
