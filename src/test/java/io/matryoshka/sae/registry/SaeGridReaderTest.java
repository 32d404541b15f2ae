package io.matryoshka.sae.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Grids in a table of a user. */
class SaeGridReaderTest {

  private static final String TABLE =
      """
      {"format_version": 1, "release": "mine", "description": "A test.", "model": "gpt2",
       "location": {"type": "hub", "repo": "me/saes"},
       "grids": [{"id": "{layer}/{width}/{l0}{variant}", "path": "a/{layer}-{width}-{l0}{variant}",
         "hook_point": "blocks.{layer}.hook_resid_post", "d_in": 8, "layers": "1,3-4",
         "latents": {"small": 16, "large": 32}, "l0": {"low": [2, 3, 4]},
         "variants": ["", "_b"]}]}""";

  private static List<Release> read(String json) throws RegistryException {
    return RegistryReader.read("t.json", json.getBytes(StandardCharsets.UTF_8), Path.of(""));
  }

  @Test
  void grid_isExpandedByLayerWidthL0AndVariant() throws RegistryException {
    Release release = read(TABLE).get(0);
    assertThat(release.saes()).hasSize(12);
    assertThat(release.saes())
        .extracting(SaeEntry::saeId)
        .startsWith("1/small/low", "1/small/low_b", "1/large/low", "1/large/low_b", "3/small/low")
        .endsWith("4/large/low_b");
    SaeEntry sae = release.sae("3/large/low_b");
    assertThat(sae.location()).isEqualTo(new SaeLocation.Hub("me/saes", "a/3-large-low_b"));
    assertThat(sae.trainingK()).hasValue(3);
    assertThat(sae.dSae()).isEqualTo(32);
    assertThat(sae.layer()).hasValue(3);
  }

  @Test
  void l0_shorterThanLayers_endsWithItsLastNumber() throws RegistryException {
    List<SaeEntry> saes = read(TABLE.replace("[2, 3, 4]", "[2, 5]")).get(0).saes();
    assertThat(saes.get(0).trainingK()).hasValue(2);
    assertThat(saes.get(4).trainingK()).hasValue(5);
    assertThat(saes.get(11).trainingK()).hasValue(5);
  }

  @Test
  void releases_ofOneFile_shareItsFields() throws RegistryException {
    String one = TABLE.substring(TABLE.indexOf("\"release\""), TABLE.length() - 1);
    String two =
        "{\"format_version\": 1, \"format\": \"gemma-scope-2\", \"releases\": [{"
            + one
            + "}, {"
            + one.replace("mine", "yours")
            + "}]}";
    assertThat(read(two)).extracting(Release::id).containsExactly("mine", "yours");
    assertThat(read(two).get(1).saes().get(0).format()).isEqualTo("gemma-scope-2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"1,3-4\" | \"x\" | layers: expected numbers",
        "[2, 3, 4] | [] | l0: expected 1 to 3 numbers at 'low', one a layer, got 0",
        "[2, 3, 4] | [2, 3, 4, 5] | l0: expected 1 to 3 numbers at 'low', one a layer, got 4",
        "[2, 3, 4] | [2, 'x'] | not JSON",
        "[2, 3, 4] | [2, 0.5] | expected a 32-bit integer, got 0.5",
        "\"small\": 16 | \"small\": 0 | d_sae: expected a positive number",
        "\"a/{layer} | \"../{layer} | path",
        "\"d_in\" | \"dd_in\" | unknown field 'dd_in'"
      })
  void fault_isNamed(String from, String to, String message) {
    assertThatThrownBy(() -> read(TABLE.replace(from, to)))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("t.json, at $")
        .hasMessageContaining(message);
  }
}
