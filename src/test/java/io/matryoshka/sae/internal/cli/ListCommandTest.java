package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListCommandTest {

  @Test
  void list_text_hasALinePerRelease() {
    Cli.Result result = Cli.run("list");
    assertThat(result.code()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out().lines()).hasSize(85);
    assertThat(result.out().lines())
        .anySatisfy(
            line ->
                assertThat(line)
                    .matches("gemma-2-9b-res-matryoshka-dc +gemma-2-9b +41 +3584 +32768 .*"));
  }

  @Test
  void list_json_hasTheFactsOfTheReleases() throws IOException {
    JsonNode releases = Cli.run("list", "--json").json().get("releases");
    assertThat(releases).hasSize(84);
    assertThat(releases.findValuesAsText("release")).contains("gemma-2-2b-res-snap-matryoshka-dc");
    assertThat(releases.findValues("sae_count").stream().mapToInt(JsonNode::asInt).sum())
        .isEqualTo(118 + 8802);
  }

  @Test
  void list_release_hasALinePerSae() {
    Cli.Result result = Cli.run("list", "gemma-2-2b-res-matryoshka-dc");
    assertThat(result.out().lines().filter(l -> l.startsWith("blocks."))).hasSize(25);
    assertThat(result.out()).contains("128/512/2048/8192/32768");
  }

  @Test
  void list_releaseJson_hasTheFactsOfItsSaes() throws IOException {
    JsonNode saes = Cli.run("list", "gemma-2-2b-res-matryoshka-dc", "--json").json().get("saes");
    assertThat(saes).hasSize(25);
    JsonNode first = saes.get(0);
    assertThat(first.get("id").asText()).isEqualTo("blocks.0.hook_resid_post");
    assertThat(first.get("layer").asInt()).isZero();
    assertThat(first.get("widths")).hasSize(5);
    assertThat(first.at("/training/tokens").asLong()).isEqualTo(750_000_000L);
  }

  @Test
  void list_unknownRelease_namesTheNearest() {
    Cli.Result result = Cli.run("list", "gemma-2-2b-res-matryoshka");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .startsWith("matryoshka-sae list: unknown release 'gemma-2-2b-res-matryoshka'")
        .contains("'gemma-2-2b-res-matryoshka-dc'")
        .hasLineCount(1);
  }

  @Test
  void list_ownTable_isAdded(@TempDir Path folder) throws IOException {
    Path table = folder.resolve("mine.json");
    Files.writeString(
        table,
        """
        {"format_version": 1, "release": "mine", "description": "Mine.", "model": "gpt2",
         "location": {"type": "directory"}, "d_in": 4, "d_sae": 8,
         "saes": [{"id": "a", "path": "a", "hook_point": "h"}]}
        """);
    assertThat(Cli.run("list", "--registry", table).out()).contains("mine  ");
    assertThat(Cli.run("list", "mine", "--registry", table).out()).contains("a   ");
  }

  @Test
  void list_brokenTable_isABadFile(@TempDir Path folder) throws IOException {
    Path table = Files.writeString(folder.resolve("mine.json"), "{");
    Cli.Result result = Cli.run("list", "--registry", table);
    assertThat(result.code()).isEqualTo(4);
    assertThat(result.err()).contains("mine.json").hasLineCount(1);
  }

  @Test
  void list_filters_keepTheSaesThatFit() throws IOException {
    JsonNode saes =
        Cli.run(
                "list",
                "--model",
                "gemma-3-1b-pt",
                "--layer",
                "13",
                "--site",
                "resid_post",
                "--width",
                "65536",
                "--json")
            .json()
            .get("saes");
    assertThat(saes.findValuesAsText("id"))
        .containsExactlyInAnyOrder(
            "layer_13_width_65k_l0_small",
            "layer_13_width_65k_l0_medium",
            "layer_13_width_65k_l0_big");
    assertThat(saes.findValuesAsText("release")).containsOnly("gemma-scope-2-1b-pt-res");
  }

  @Test
  void list_filtersOfOneRelease_keepItsSaesThatFit() {
    Cli.Result result = Cli.run("list", "gemma-scope-2-1b-pt-transcoders", "--layer", "7-13");
    assertThat(result.out().lines().filter(l -> l.startsWith("transcoder/"))).hasSize(36);
  }

  @Test
  void list_format_keepsTheSaesInItsFiles() {
    Cli.Result result = Cli.run("list", "--format", "dictionary-learning");
    assertThat(result.out().lines()).hasSize(19);
    assertThat(result.out()).contains("512/1536/3584/7680/16384");
  }
}
