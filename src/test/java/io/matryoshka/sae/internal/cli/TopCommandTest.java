package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopCommandTest {

  /** "her" of "I left her and Bath": SAELens gives latent 17 its largest activation, 8.848859. */
  private static final int HER = 304;

  private static Cli.Result top(Object... more) {
    List<Object> args = new ArrayList<>(List.of("top", Samples.RELEASE));
    args.addAll(List.of("-i", Samples.ACTIVATIONS));
    args.addAll(List.of(more));
    return Cli.run(args.toArray());
  }

  @Test
  void top_tokens_areShownByLevel() {
    Cli.Result result = top("--tokens", Samples.TOKENS, "--rows", HER, "-n", 1);
    assertThat(result.code()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .matches(
            "(?s)token +L0 +level 0 \\(0-31\\) +level 1 \\(32-127\\) .*\n"
                + "her +34 +17:8\\.85 +118:2\\.49 +305:1\\.62 +824:1\\.83\n");
  }

  @Test
  void top_json_hasActivationAndLevel() throws IOException {
    JsonNode rows = top("--rows", HER + "-" + (HER + 1), "-n", 2, "--json").json().get("rows");
    assertThat(rows).hasSize(2);
    assertThat(rows.get(0).get("row").intValue()).isEqualTo(HER);
    assertThat(rows.get(0).get("l0").intValue()).isEqualTo(34);
    assertThat(rows.get(0).has("token")).isFalse();
    JsonNode first = rows.get(0).get("latents").get(0);
    assertThat(first.get("latent").intValue()).isEqualTo(17);
    assertThat(first.get("activation").doubleValue()).isCloseTo(8.848859, within(1e-5));
    assertThat(first.get("level").intValue()).isZero();
    assertThat(rows.get(0).get("latents")).hasSize(8);
  }

  @Test
  void top_default_showsTwentyRows() throws IOException {
    assertThat(top("--json").json().get("rows")).hasSize(20);
  }

  @Test
  void top_rowsPastTheEnd_areLeftOut() throws IOException {
    assertThat(top("--json", "--rows", "510-9999").json().get("rows")).hasSize(2);
  }

  @Test
  void top_prefix_hasItsLevelsOnly() {
    assertThat(top("--prefix", 100, "--rows", "0").out())
        .contains("level 0 (0-31)  ", "level 1 (32-99)")
        .doesNotContain("level 2");
  }

  @Test
  void top_textTokens_areLines(@TempDir Path folder) throws IOException {
    Path tokens = folder.resolve("tokens.txt");
    Files.write(tokens, Collections.nCopies(512, "Zürich"));
    assertThat(top("--tokens", tokens, "--rows", "0").out()).contains("\nZürich  69  ");
  }

  @Test
  void top_tooFewTokens_areRefused(@TempDir Path folder) throws IOException {
    Path tokens = Files.writeString(folder.resolve("tokens.json"), "[\"a\", \"b\"]");
    Cli.Result result = top("--tokens", tokens);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("each of the 512 rows", "got 2").hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "[1]", "[", "[{\"text\": \"a\"}]"})
  void top_badTokens_areRefused(String json, @TempDir Path folder) throws IOException {
    Path tokens = Files.writeString(folder.resolve("tokens.json"), json);
    Cli.Result result = top("--tokens", tokens);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("tokens.json").hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"512", "3-1", "-1", "a"})
  void top_badRows_areRefused(String rows) {
    Cli.Result result = top("--rows=" + rows);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("--rows").hasLineCount(1);
  }

  @Test
  void top_noInput_isMissing() {
    Cli.Result result = Cli.run("top", Samples.RELEASE);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("--input").hasLineCount(1);
  }

  @Test
  void top_wrongWidth_isABadFile(@TempDir Path folder) throws IOException {
    Path weights = Samples.SAE_FOLDER.resolve("sparsity.safetensors");
    Cli.Result result = Cli.run("top", Samples.RELEASE, "-i", weights);
    assertThat(result.code()).isEqualTo(4);
    assertThat(result.err()).contains("sparsity.safetensors").hasLineCount(1);
  }

  @Test
  void top_missingInput_isNotFound() {
    Cli.Result result = Cli.run("top", Samples.RELEASE, "-i", "nowhere.npy");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("nowhere.npy").hasLineCount(1);
  }

  @Test
  void top_labelsFile_namesTheLatentsThatAreShown(@TempDir Path folder) throws IOException {
    Path labels =
        Files.writeString(
            folder.resolve("labels.csv"), "latent,label\n17,\"she,\u001b[31m her\"\n18,other\n");
    Cli.Result result = top("--rows", HER, "-n", 1, "--labels-file", labels);
    assertThat(result.out()).contains("17  she, [31m her").doesNotContain("other");
    JsonNode latent =
        top("--rows", HER, "-n", 1, "--labels-file", labels, "--json")
            .json()
            .at("/rows/0/latents/0");
    assertThat(latent.get("label").textValue()).isEqualTo("she, [31m her");
  }

  @Test
  void top_labels_ofAnSaeThatIsNotOnNeuronpedia_saysSo() {
    Cli.Result result = top("--rows", HER, "-n", 1, "--labels");
    assertThat(result.code()).isZero();
    assertThat(result.err()).contains("no labels").contains("--labels-file");
    assertThat(result.out()).contains("17:8.85");
  }
}
