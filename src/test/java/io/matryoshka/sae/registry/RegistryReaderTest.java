package io.matryoshka.sae.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegistryReaderTest {

  private static final Path FOLDER = Path.of("tables").toAbsolutePath();
  private static final String HUB =
      "{\"type\": \"hub\", \"repo\": \"owner/name\", \"revision\": \"v1\"}";

  /** A valid table with one SAE on disk. */
  static String table(String release) {
    return """
        {
          "format_version": 1,
          "release": "%s",
          "description": "A test.",
          "model": "gpt2",
          "location": {"type": "directory"},
          "d_in": 4,
          "d_sae": 8,
          "training": {"tokens": 10, "dataset": "text", "loss": "standard"},
          "saes": [
            {"id": "five", "path": "saes/five", "layer": 5, "hook_point": "blocks.5.hook"}
          ]
        }
        """
        .formatted(release);
  }

  @Test
  void read_onlyRequiredFields_leavesRestEmpty() throws RegistryException {
    Release release = read(table("mine"));
    SaeEntry sae = release.sae("five");

    assertThat(release.modelRepo()).isEmpty();
    assertThat(sae.widths()).containsExactly(8);
    assertThat(sae.trainingK()).isEmpty();
    assertThat(sae.explainedVariance()).isEmpty();
    assertThat(sae.neuronpediaId()).isEmpty();
    assertThat(sae.normScalingFactor()).isEmpty();
    assertThat(sae.training()).contains(new TrainingFacts(10, "text", "standard"));
  }

  @Test
  void read_exampleOfDocumentation_isValid() throws IOException {
    String page = Files.readString(Path.of("docs", "data-formats.md"));
    String json = page.split("```json\n")[1].split("```")[0];

    SaeEntry sae = read(json).sae("layer5");

    assertThat(sae.location()).isEqualTo(new SaeLocation.Directory(FOLDER.resolve("saes/layer5")));
    assertThat(sae.widths()).containsExactly(128, 1024, 8192);
  }

  @Test
  void read_factAtSae_winsOverRelease() throws RegistryException {
    String json =
        table("mine")
            .replace(
                "\"layer\": 5",
                "\"d_in\": 6, \"d_sae\": 16, \"widths\": [2, 16], \"training_k\": 3,"
                    + " \"norm_scaling_factor\": 0.5,"
                    + " \"training\": {\"tokens\": 20, \"dataset\": \"more\", \"loss\": \"l1\"}");
    SaeEntry sae = read(json).sae("five");

    assertThat(sae.layer()).isEmpty();
    assertThat(sae.dIn()).isEqualTo(6);
    assertThat(sae.dSae()).isEqualTo(16);
    assertThat(sae.widths()).containsExactly(2, 16);
    assertThat(sae.trainingK()).hasValue(3);
    assertThat(sae.normScalingFactor()).hasValue(0.5);
    assertThat(sae.training()).contains(new TrainingFacts(20, "more", "l1"));
  }

  @Test
  void read_factOnlyAtSae_isFound() throws RegistryException {
    String json = table("mine").replace("\"d_in\": 4,", "").replace("\"layer\": 5", "\"d_in\": 4");

    assertThat(read(json).sae("five").dIn()).isEqualTo(4);
  }

  @Test
  void read_hubLocation_joinsRepositoryAndPath() throws RegistryException {
    String json = table("mine").replace("{\"type\": \"directory\"}", HUB);

    assertThat(read(json).sae("five").location())
        .isEqualTo(new SaeLocation.Hub("owner/name", "saes/five", "v1"));
    assertThat(read(json.replace(", \"revision\": \"v1\"", "")).sae("five").location())
        .isEqualTo(new SaeLocation.Hub("owner/name", "saes/five", "main"));
  }

  @Test
  void read_directoryLocation_isRelativeToTable() throws RegistryException {
    String json = table("mine").replace("saes/five", "../five");

    assertThat(read(json).sae("five").location())
        .isEqualTo(new SaeLocation.Directory(FOLDER.getParent().resolve("five")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          # replaced                  | by                            | path             | problem
          "d_in": 4,                  | "d_in": "4",                  | $.d_in           | expected a 32-bit integer, got "4" (string)
          "d_in": 4,                  | "d_in": 4.0,                  | $.d_in           | expected a 32-bit integer, got 4.0 (number)
          "d_in": 4,                  | "d_in": 4294967300,           | $.d_in           | expected a 32-bit integer, got 4294967300 (number)
          "d_in": 4,                  | "d_in": null,                 | $.d_in           | expected a 32-bit integer, got null (null)
          "d_in": 4,                  | "d_in": 0,                    | $.saes[0]        | d_in: expected a positive number, got 0
          "d_in": 4,                  | ``                            | $.saes[0]        | field 'd_in' is missing
          "d_sae": 8,                 | "d_sae": -8,                  | $.saes[0]        | d_sae: expected a positive number, got -8
          "model": "gpt2",            | "model": 2,                   | $.model          | expected a text, got 2 (number)
          "model": "gpt2",            | "model": " ",                 | $                | model: expected a text, got a blank one
          "model": "gpt2",            | ``                            | $                | field 'model' is missing
          "model": "gpt2",            | "model": "a", "colour": 1,    | $                | unknown field 'colour'; expected one of [d_in, d_sae, description, format, format_version, grids, location, model, model_folder, model_repo, norm_scaling_factor, release, saes, training, training_k, widths]
          "model": "gpt2",            | "model": "a", "model": "b",   | $                | the key 'model' stands there twice
          "layer": 5,                 | "layers": 5,                  | $.saes[0]        | unknown field 'layers'; expected one of [d_in, d_sae, explained_variance, format, hook_point, hook_point_out, id, layer, neuronpedia_id, norm_scaling_factor, path, training, training_k, widths]
          "layer": 5,                 | "layer": -1,                  | $.saes[0]        | layer: expected at least 0, got -1
          "layer": 5,                 | "layer": true,                | $.saes[0].layer  | expected a 32-bit integer, got true (boolean)
          "layer": 5,                 | "widths": 8,                  | $.saes[0].widths | expected a list, got 8 (number)
          "layer": 5,                 | "widths": [4, "8"],           | $.saes[0].widths[1] | expected a 32-bit integer, got "8" (string)
          "layer": 5,                 | "widths": [4, 4, 8],          | $.saes[0]        | widths: expected positive numbers that rise and end with d_sae = 8, got [4, 4, 8]
          "layer": 5,                 | "widths": [0, 8],             | $.saes[0]        | widths: expected positive numbers that rise and end with d_sae = 8, got [0, 8]
          "layer": 5,                 | "widths": [4],                | $.saes[0]        | widths: expected positive numbers that rise and end with d_sae = 8, got [4]
          "layer": 5,                 | "widths": [],                 | $.saes[0]        | widths: expected positive numbers that rise and end with d_sae = 8, got []
          "layer": 5,                 | "training_k": 0,              | $.saes[0]        | training_k: expected at least 1, got 0
          "layer": 5,                 | "training_k": 9,              | $.saes[0]        | training_k: expected at most d_sae = 8, got 9
          "layer": 5,                 | "explained_variance": "high", | $.saes[0].explained_variance | expected a number, got "high" (string)
          "layer": 5,                 | "explained_variance": 1.5,    | $.saes[0]        | explained_variance: expected a finite number of at most 1, got 1.5
          "layer": 5,                 | "explained_variance": -1e999, | $.saes[0]        | explained_variance: expected a finite number of at most 1, got -Infinity
          "layer": 5,                 | "neuronpedia_id": "gpt2",     | $.saes[0]        | neuronpedia_id: expected model/sae, got 'gpt2'
          "layer": 5,                 | "norm_scaling_factor": 0,     | $.saes[0]        | norm_scaling_factor: expected a finite number above 0, got 0.0
          "path": "saes/five",        | "path": 5,                    | $.saes[0].path   | expected a text, got 5 (number)
          "id": "five",               | "id": "",                     | $.saes[0]        | id: expected a text, got a blank one
          "tokens": 10,               | "tokens": 0,                  | $.saes[0]        | training.tokens: expected a positive number, got 0
          "tokens": 10,               | "tokens": 1e3,                | $.training.tokens | expected a 64-bit integer, got 1000.0 (number)
          "tokens": 10,               | "tokens": 10, "seed": 1,      | $.training       | unknown field 'seed'; expected one of [dataset, loss, tokens]
          {"type": "directory"}       | "here"                        | $.location       | expected an object, got "here" (string)
          {"type": "directory"}       | {"type": "ftp"}               | $.location       | type: expected 'hub', 'bundled' or 'directory', got 'ftp'
          {"type": "directory"}       | {"type": "directory", "a": 1} | $.location       | unknown field 'a'; expected one of [type]
          {"type": "directory"}       | {"type": "hub"}               | $.location       | field 'repo' is missing
          {"type": "directory"}       | {"type": "hub", "repo": "x"}  | $.location       | repo: expected owner/name of letters, digits, '.', '_' and '-', got 'x'
          "format_version": 1,        | "format_version": 2,          | $.format_version | expected 1, got 2; a newer version of this library may read it
          "format_version": 1,        | ``                            | $                | field 'format_version' is missing
          """)
  void read_wrongField_namesPlaceExpectedAndFound(
      String replaced, String by, String path, String problem) {
    String json = table("mine").replace(replaced, by);
    assertThat(json).isNotEqualTo(table("mine"));

    RegistryException thrown = catchThrowableOfType(RegistryException.class, () -> read(json));

    assertThat(thrown).hasMessageStartingWith("registry file my.json, at " + path + ": " + problem);
    assertThat(thrown.file()).isEqualTo("my.json");
    assertThat(thrown.jsonPath()).isEqualTo(path);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          ``         | expected an object, got nothing
          []         | expected an object, got [] (array)
          {          | not JSON: Unexpected end-of-input
          {} {}      | not JSON: one JSON value was expected
          """)
  void read_notOneObject_isRefused(String json, String problem) {
    RegistryException thrown = catchThrowableOfType(RegistryException.class, () -> read(json));

    assertThat(thrown).hasMessageStartingWith("registry file my.json, at $: " + problem);
  }

  @Test
  void read_notJson_tellsLineAndColumn() {
    RegistryException thrown =
        catchThrowableOfType(RegistryException.class, () -> read("{\n  \"release\": oops}"));

    assertThat(thrown).hasMessageEndingWith("(line 2, column 14)");
  }

  @Test
  void read_deeplyNested_isRefused() {
    String json = "[".repeat(100_000);

    RegistryException thrown = catchThrowableOfType(RegistryException.class, () -> read(json));

    assertThat(thrown).hasMessageContaining("lie 1001 deep in each other");
  }

  @Test
  void read_longWrongValue_isCut() {
    String json = table("mine").replace("\"d_in\": 4", "\"d_in\": \"" + "x".repeat(500) + "\"");

    RegistryException thrown = catchThrowableOfType(RegistryException.class, () -> read(json));

    assertThat(thrown).hasMessageEndingWith("got \"" + "x".repeat(79) + "... (string)");
  }

  @Test
  void read_sameIdTwice_isRefused() {
    String json = table("mine").replaceAll("(\\{\"id\".*\\})", "$1, $1");

    RegistryException thrown = catchThrowableOfType(RegistryException.class, () -> read(json));

    assertThat(thrown).hasMessageEndingWith("saes: expected every id once, got 'five' twice");
  }

  @Test
  void read_noSae_isRefused() {
    String json = table("mine").replaceAll("\\{\"id\".*\\}", "");

    RegistryException thrown = catchThrowableOfType(RegistryException.class, () -> read(json));

    assertThat(thrown).hasMessageEndingWith("saes: expected at least one SAE, got none");
  }

  @ParameterizedTest
  @CsvSource({"../x", "/x", "a//b", "a/./b", "a/", "'a\\b'"})
  void read_pathOutOfRepository_isRefused(String path) {
    for (String type : List.of(HUB, "{\"type\": \"bundled\"}")) {
      String json =
          table("mine")
              .replace("{\"type\": \"directory\"}", type)
              .replace("saes/five", path.replace("\\", "\\\\"));

      RegistryException thrown = catchThrowableOfType(RegistryException.class, () -> read(json));

      assertThat(thrown)
          .hasMessageContaining("at $.saes[0]: path: expected folder names joined by '/'")
          .hasMessageEndingWith("got '" + path + "'");
    }
  }

  private static Release read(String json) throws RegistryException {
    return RegistryReader.read("my.json", json.getBytes(StandardCharsets.UTF_8), FOLDER).get(0);
  }
}
