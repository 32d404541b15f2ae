package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExploreCommandTest {

  private static Cli.Result explore(Object... more) {
    List<Object> args = new ArrayList<>(List.of("explore", Samples.RELEASE, Samples.SAE_ID));
    args.addAll(List.of(more));
    return Cli.run(args.toArray());
  }

  @Test
  void explore_demoLatent_printsItsContexts() {
    Cli.Result result = explore("--latent", "17,553", "--contexts", 2, "--reach", 1);

    assertThat(result.err()).isEmpty();
    assertThat(result.code()).isZero();
    assertThat(result.out())
        .contains("Latent 17, level 0: fires on 18.16 % of 512 tokens, mean 1.34, largest 8.85")
        .contains("8.85  304  left [her] and\n")
        .contains("nearest by decoder: 661 (0.154)")
        .contains("Latent 553, level 3: never fires on these 512 tokens");
  }

  @Test
  void explore_files_areWritten(@TempDir Path folder) throws IOException {
    Path html = folder.resolve("report.html");
    Path csv = folder.resolve("latents.csv");

    Cli.Result result = explore("--html", html, "--csv", csv);

    assertThat(result.code()).isZero();
    assertThat(result.out()).startsWith("512 tokens, 1330 latents described; the first 20:\n");
    assertThat(Files.readString(html)).contains("<h1>Latents of " + Samples.RELEASE);
    assertThat(Files.readAllLines(csv)).hasSize(2049);
  }

  @Test
  void explore_ownInput_needsNoTokens() throws IOException {
    Cli.Result result =
        explore("-i", Samples.ACTIVATIONS, "--latent", 17, "--contexts", 1, "--json");

    assertThat(result.code()).isZero();
    JsonNode context = result.json().get("latents").get(0).get("contexts").get(0);
    assertThat(context.get("row").intValue()).isEqualTo(304);
    assertThat(context.has("tokens")).isFalse();
  }

  @Test
  void explore_againstTheSameSae_hasNoDifference() throws IOException {
    Cli.Result result =
        explore("--latent", 17, "--json", "--against", Samples.RELEASE + ":" + Samples.SAE_ID);

    JsonNode comparison = result.json().get("comparison");
    assertThat(comparison.get("differences").get(0).get("z").doubleValue()).isZero();
    assertThat(comparison.get("matches")).hasSize(2048);
  }

  @Test
  void explore_againstInput_comparesTheSameLatents() throws IOException {
    Cli.Result result = explore("--latent", 17, "--json", "--against-input", Samples.ACTIVATIONS);

    JsonNode comparison = result.json().get("comparison");
    assertThat(comparison.get("differences")).hasSize(2048);
    assertThat(comparison.get("matches")).isEmpty();
  }

  @Test
  void explore_bothSides_areRefused() {
    Cli.Result result = explore("--against", "a:b", "--against-input", Samples.ACTIVATIONS);

    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("--against").hasLineCount(1);
  }

  @Test
  void explore_againstWithoutId_isRefused() {
    Cli.Result result = explore("--latent", 1, "--against", "release-alone");

    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("RELEASE:SAE_ID").hasLineCount(1);
  }

  @Test
  void explore_noInputForAFolder_isRefused() {
    Cli.Result result = Cli.run("explore", "--dir", Samples.SAE_FOLDER);

    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("--input").hasLineCount(1);
  }

  @Test
  void explore_latentOutOfRange_isRefused() {
    Cli.Result result = explore("--latent", 5000);

    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("0..2047").hasLineCount(1);
  }

  @Test
  void explore_tokensOfOtherActivations_areRefused(@TempDir Path folder) throws IOException {
    Path tokens = Files.writeString(folder.resolve("tokens.json"), "[\"a\"]");
    Cli.Result result = explore("--tokens", tokens);

    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("512 rows").hasLineCount(1);
  }

  @Test
  void explore_labels_standEscapedOnThePage(@TempDir Path folder) throws IOException {
    Path labels =
        Files.writeString(
            folder.resolve("labels.json"), "{\"17\": \"</script><img src=x onerror=alert(1)>\"}");
    Path page = folder.resolve("page.html");
    Cli.Result result =
        Cli.run(
            "explore", Samples.RELEASE, "--latent", "17", "--labels-file", labels, "--html", page);
    assertThat(result.code()).isZero();
    assertThat(Files.readString(page)).doesNotContain("<img src=x").contains("img src=x");
  }
}
