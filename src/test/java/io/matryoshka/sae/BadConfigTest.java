package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.UnsupportedArchitectureException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A cfg.json that cannot be used is refused with the file, the field, what it needs and has. */
class BadConfigTest {

  @TempDir Path folder;

  static Stream<Arguments> wrongFields() {
    return Stream.of(
        field("d_in", c -> c.remove("d_in"), "expected an integer of at least 1, got nothing"),
        field("d_sae", c -> c.putNull("d_sae"), "expected an integer of at least 1, got null"),
        field("d_in", c -> c.put("d_in", -8), "expected an integer of at least 1, got -8"),
        field("d_in", c -> c.put("d_in", 8.5), "expected an integer of at least 1, got 8.5"),
        field("d_in", c -> c.put("d_in", "8"), "expected an integer of at least 1, got \"8\""),
        field("d_sae", c -> c.put("d_sae", 1L << 40), "of at least 1, got 1099511627776"),
        field("dtype", c -> c.put("dtype", "float8"), "bfloat16, got \"float8\""),
        field("dtype", c -> c.put("dtype", "Float32"), "bfloat16, got \"Float32\""),
        field("dtype", c -> c.put("dtype", 32), "expected a text, got 32"),
        field(
            "normalize_activations",
            c -> c.put("normalize_activations", "unit"),
            "none, expected_average_only_in, constant_norm_rescale or layer_norm, got \"unit\""),
        field(
            "reshape_activations",
            c -> c.put("reshape_activations", "hook_q"),
            "expected none or hook_z, got \"hook_q\""),
        field(
            "apply_b_dec_to_input",
            c -> c.put("apply_b_dec_to_input", "yes"),
            "expected true or false, got \"yes\""),
        field("metadata", c -> c.put("metadata", 7), "expected an object, got 7"),
        field(
            "sae_lens_version",
            c -> c.withObject("/metadata").put("sae_lens_version", "six"),
            "expected a version such as 6.18.0, got \"six\""),
        field(
            "matryoshka_widths",
            c -> c.putArray("matryoshka_widths").add(12).add(5),
            "expected rising integers from 1 to d_sae = 24, got [12,5]"),
        field(
            "matryoshka_widths",
            c -> c.putArray("matryoshka_widths").add(12).add(25),
            "expected rising integers from 1 to d_sae = 24, got [12,25]"),
        field(
            "matryoshka_widths",
            c -> c.put("matryoshka_widths", "5,12"),
            "expected rising integers from 1 to d_sae = 24, got \"5,12\""),
        field(
            "k",
            c -> c.put("architecture", "topk").put("k", 0),
            "expected an integer of at least 1, got 0"));
  }

  private static Arguments field(String name, Consumer<ObjectNode> change, String message) {
    return Arguments.of(name, change, message);
  }

  @ParameterizedTest(name = "{0}: {2}")
  @MethodSource("wrongFields")
  void load_wrongField_namesFieldExpectedAndGot(
      String name, Consumer<ObjectNode> change, String message) throws IOException {
    CaseFolder.copy("jumprelu", folder).config(change);

    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageStartingWith(folder.resolve("cfg.json") + ": field " + name + ": ")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"d_in\": 8,             | not a JSON file",
        "{                         | marker for Object from line 1 (line 1, column ",
        "''                        | it is empty",
        "[1, 2]                    | expected a JSON object {\"name\": value, …}, got a list",
        "\"text\"                  | expected a JSON object {\"name\": value, …}, got a text",
        "{} trailing               | not a JSON file",
      })
  void load_textThatIsNotAConfiguration_isRefused(String text, String message) throws IOException {
    CaseFolder.copy("jumprelu", folder).configText(text);

    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageStartingWith(folder.resolve("cfg.json") + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void load_withoutDtype_saysWhatToAdd() throws IOException {
    CaseFolder.copy("jumprelu", folder).config(c -> c.remove("dtype"));

    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContaining("field dtype is missing")
        .hasMessageContaining("add for example \"dtype\": \"float32\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "d_out | null | field d_out: expected an integer of at least 1, got nothing",
        "apply_b_dec_to_input | true | false for a transcoder whose d_out is not d_in",
        "normalize_activations | layer_norm | none for a transcoder",
      })
  void load_transcoderThatCannotBe_namesTheField(String field, String value, String message)
      throws IOException {
    CaseFolder.copy("jumprelu", folder)
        .config(
            c -> {
              c.put("architecture", "jumprelu_transcoder").put("apply_b_dec_to_input", false);
              c.put("d_out", 1 + c.get("d_in").intValue());
              c.put("normalize_activations", "none");
              if (value.equals("null")) {
                c.remove(field);
              } else if (value.equals("true")) {
                c.put(field, true);
              } else {
                c.put(field, value);
              }
            });

    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContaining(message);
  }

  @Test
  void load_newFileWithoutArchitecture_namesThoseThereAre() throws IOException {
    CaseFolder.copy("jumprelu", folder).config(c -> c.remove("architecture"));

    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContaining("field architecture is missing")
        .hasMessageContaining("standard, jumprelu, topk, batchtopk, matryoshka_batchtopk");
  }

  @ParameterizedTest
  @ValueSource(strings = {"matching_pursuit", "temporal", "skip"})
  void load_otherArchitecture_isUnsupported(String architecture) throws IOException {
    CaseFolder.copy("jumprelu", folder).config(c -> c.put("architecture", architecture));

    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining("architecture '" + architecture + "' is not supported")
        .hasMessageContaining("supported: standard, jumprelu");
  }

  @Test
  void load_hookZOnAnotherHookPoint_saysWhatToSet() throws IOException {
    CaseFolder.copy("jumprelu", folder).config(c -> c.put("reshape_activations", "hook_z"));

    assertThatThrownBy(() -> SAE.load(folder))
        .isInstanceOf(SaeFormatException.class)
        .hasMessageContaining("must end in _z, got 'blocks.3.hook_resid_post'")
        .hasMessageContaining("set reshape_activations to none");
  }

  @Test
  void metadata_isInTheOrderOfTheFile() throws IOException {
    CaseFolder.copy("jumprelu", folder)
        .config(c -> c.putObject("metadata").put("zeta", 1).put("alpha", 2).put("mid", 3));

    assertThat(SaeConfig.read(folder.resolve("cfg.json")).metadata().keySet())
        .containsSubsequence("zeta", "alpha", "mid");
  }
}
