package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.support.MiniLm;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that begin with text, on the encoder that the bundled SAE reads. */
class EncoderCommandsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String RELEASE = "all-minilm-l6-v2-matryoshka-demo";
  private static final String HOOK = "last_hidden_state";

  @TempDir private Path folder;
  private Path sentences;

  @BeforeEach
  void writeSentences() throws IOException {
    JsonNode demo =
        JSON.readTree(SourceFiles.PROJECT.resolve("releases/demo/tokens.json").toFile());
    List<String> lines = new ArrayList<>();
    for (JsonNode sentence : demo.get("sentences")) {
      if (sentence.get("complete").booleanValue()) {
        lines.add(JSON.writeValueAsString(sentence.get("text")));
      }
    }
    sentences = folder.resolve("sentences.jsonl");
    Files.write(sentences, lines);
  }

  private static Cli.Result succeed(Object... args) {
    Cli.Result result = Cli.run(args);
    assertThat(result.code()).as(result.err()).isZero();
    return result;
  }

  @Test
  void top_ofATypedText_hasItsTokens() {
    String text = "orderer: someone who places an order to buy";
    Cli.Result result = succeed("top", RELEASE, HOOK, "--text", text, "--model", MiniLm.folder());
    assertThat(result.out()).contains("[CLS]", "##er", "[SEP]");
  }

  @Test
  void evaluate_ofSentences_leavesOutSpecialTokens_andGivesTheFiguresOfTheDemo()
      throws IOException {
    Object[] texts = {"--text-file", sentences, "--model", MiniLm.folder()};
    Cli.Result result = succeed(with(new Object[] {"evaluate", RELEASE, "--json"}, texts));
    assertThat(result.err()).contains("rows are of special tokens such as <bos> or [CLS]");
    JsonNode found = JSON.readTree(result.out());
    JsonNode demo = JSON.readTree(succeed("evaluate", RELEASE, "--json").out());
    assertThat(widest(found)).isCloseTo(widest(demo), org.assertj.core.api.Assertions.within(0.01));
  }

  private static double widest(JsonNode evaluation) {
    JsonNode widths = evaluation.get("widths");
    return widths.get(widths.size() - 1).get("explained_variance").get("pooled").doubleValue();
  }

  private static Object[] with(Object[] first, Object[] second) {
    List<Object> all = new ArrayList<>(List.of(first));
    all.addAll(List.of(second));
    return all.toArray();
  }

  @Test
  void encodeAndActivations_haveOneRowForEachToken() throws IOException {
    Path latents = folder.resolve("latents.safetensors");
    Path activations = folder.resolve("activations.safetensors");
    String first = "An order.";
    succeed(
        "encode",
        RELEASE,
        "--text",
        first,
        "--text",
        "b",
        "--model",
        MiniLm.folder(),
        "-o",
        latents);
    assertThat(SparseLatents.load(latents).rows()).isEqualTo(5 + 3);
    succeed(
        "activations",
        "--model",
        MiniLm.folder(),
        "--text",
        first,
        "--hooks",
        HOOK + ",encoder.layer.2.output",
        "-o",
        activations);
    try (SafetensorsFile file = SafetensorsFile.open(activations)) {
      assertThat(file.info(HOOK).shape()).containsExactly(5, 384);
      assertThat(file.info("encoder.layer.2.output").shape()).containsExactly(5, 384);
    }
  }

  @Test
  void lossAndGenerate_sayThatItIsAnEncoder() {
    for (String command : new String[] {"loss", "generate"}) {
      Cli.Result result =
          Cli.run(command, RELEASE, "--text", "An order.", "--model", MiniLm.folder());
      assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
      assertThat(result.err()).contains("is an encoder (bert)");
    }
  }

  @Test
  void longDocument_isReadInParts() throws IOException {
    Path document = folder.resolve("long.txt");
    Files.writeString(document, "order ".repeat(600));
    Path out = folder.resolve("out.safetensors");
    succeed(
        "activations",
        "--model",
        MiniLm.folder(),
        "--text-file",
        document,
        "--hooks",
        "embeddings.output",
        "-o",
        out);
    try (SafetensorsFile file = SafetensorsFile.open(out)) {
      assertThat(file.readInts("row_offsets")).containsExactly(0, 512, 604);
    }
  }
}
