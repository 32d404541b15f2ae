package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoCommandTest {

  @Test
  void demo_text_showsTokensLevelsAndTheTable() {
    Cli.Result result = Cli.run("demo");
    assertThat(result.code()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .contains("\"I left her and Bath yesterday, never to see either again.\" (austen)")
        .contains("level 0 (0-31)", "level 3 (512-2047)")
        .containsPattern("(?m)^her +34  17:8\\.85 ")
        .contains("17 female person, 22 plants and their families")
        .containsPattern("(?m)^ +32 +0\\.2207 +0\\.2207 +6\\.96 +6\\.96 +0\\.4406 +0\\.4406$")
        .containsPattern("(?m)^ 2048 +0\\.7389 +0\\.7389 +32\\.60 +32\\.60 +0\\.7989 +0\\.7989$")
        .doesNotContain("\u001b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"fast", "reference"})
  void demo_json_agreesWithSaeLens(String engine) throws IOException {
    JsonNode result = Cli.run("demo", "--json", "--engine", engine).json();
    assertThat(result.get("rows").intValue()).isEqualTo(512);
    assertThat(result.get("sentences")).hasSize(3);
    assertThat(result.get("widths")).hasSize(4);
    for (JsonNode width : result.get("widths")) {
      for (String metric : List.of("explained_variance", "l0", "cosine_similarity")) {
        double saeLens = width.get("saelens").get(metric).doubleValue();
        // The figures of SAELens are rounded to the fifth digit, L0 to the third.
        assertThat(width.get(metric).doubleValue())
            .as("%s at width %s", metric, width.get("width"))
            .isCloseTo(saeLens, within(metric.equals("l0") ? 5.1e-4 : 5.1e-6));
      }
    }
  }

  @Test
  void demo_colours_markTheLevels() {
    String out = Cli.run("demo", "--color", "always", "--sentences", "1").out();
    assertThat(out).contains("\u001b[36mlevel 0 (0-31)\u001b[0m", "\u001b[35m1176:0.83");
    assertThat(out.replaceAll("\u001b\\[[0-9;]*m", ""))
        .isEqualTo(Cli.run("demo", "--sentences", "1").out());
  }

  @Test
  void demo_noSentences_showsTheTableAlone() {
    assertThat(Cli.run("demo", "--sentences", "0").out())
        .contains("explained variance")
        .doesNotContain("level 0", "Read by hand");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "31", "many"})
  void demo_sentences_outOfRange(String count) {
    Cli.Result result = Cli.run("demo", "--sentences=" + count);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains("--sentences", count).hasLineCount(1);
  }
}
