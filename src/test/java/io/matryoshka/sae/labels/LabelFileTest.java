package io.matryoshka.sae.labels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Labels in files of one's own. */
class LabelFileTest {

  @TempDir private Path folder;

  private Labels load(String name, String text) throws IOException {
    return Labels.load(Files.writeString(folder.resolve(name), text));
  }

  @Test
  void csv_withQuotes_isRead() throws IOException {
    Labels labels =
        load("a.csv", "\ufeffnote,Latent,label\r\nx,7,\"a, \"\"b\"\"\nc\"\r\n\ny,8,plain\nz,9,\n");
    assertThat(labels.find(7).orElseThrow().text()).isEqualTo("a, \"b\" c");
    assertThat(labels.find(8).orElseThrow().text()).isEqualTo("plain");
    assertThat(labels.find(9)).isEmpty();
    assertThat(labels.find(8).orElseThrow().provenance()).isEmpty();
    assertThat(labels.source()).endsWith("a.csv");
  }

  @Test
  void json_ofBothForms_isRead() throws IOException {
    assertThat(load("a.json", "{\"7\": \"seven\"}").find(7).orElseThrow().text())
        .isEqualTo("seven");
    assertThat(
            load("b.json", "[{\"latent\": 7, \"label\": \"sept\"}]").find(7).orElseThrow().text())
        .isEqualTo("sept");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "a.csv | index,text | columns latent and label, got [index, text]",
        "a.csv | `latent,label\n1` | line 2: expected 2 values, got 1",
        "a.csv | `latent,label\n-1,x` | from 0 on, got '-1'",
        "a.csv | `latent,label\n1,x\n1,y` | latent 1 has a label already",
        "a.csv | `latent,label\n1,\"x` | has no end",
        "a.json | `{\"a\": \"x\"}` | from 0 on, got 'a'",
        "a.json | `{\"1\": 2}` | expected a text as label",
        "a.json | `{` | not JSON",
        "a.json | `{\"1\": \"x\"} {\"2\": \"y\"}` | one JSON value was expected, and more follows it",
        "a.json | `{\"1\": \"x\", \"1\": \"y\"}` | the key '1' stands there twice",
        "a.json | 1 | expected {",
        "a.txt | x | ends with .csv or .json"
      })
  void fault_isNamed(String name, String text, String message) {
    assertThatThrownBy(() -> load(name, text))
        .isInstanceOf(LabelException.class)
        .hasMessageContaining(name)
        .hasMessageContaining(message);
  }

  @Test
  void text_foreign_cannotMoveTheCursor() {
    Label label =
        new Label(
            1,
            " a\u001b[31m\nb\u202e ",
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    assertThat(label.text()).isEqualTo("a [31m b");
  }
}
