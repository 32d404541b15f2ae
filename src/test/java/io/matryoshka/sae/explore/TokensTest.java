package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokensTest {

  @TempDir private Path folder;

  private Tokens read(String name, String content) throws IOException {
    return Tokens.read(Files.writeString(folder.resolve(name), content));
  }

  @Test
  void read_demo_hasSequences() throws IOException {
    Tokens tokens = DemoSource.tokens();

    assertThat(tokens.size()).isEqualTo(512);
    assertThat(tokens.text(1)).isEqualTo("##er");
    assertThat(tokens.sameSequence(0, 9)).isTrue();
    assertThat(tokens.sameSequence(9, 10)).isFalse();
  }

  @Test
  void read_lines_isOneSequence() throws IOException {
    Tokens tokens = read("tokens.txt", "she\n said\n\n.\n");

    assertThat(tokens.size()).isEqualTo(4);
    assertThat(tokens.text(1)).isEqualTo(" said");
    assertThat(tokens.sameSequence(0, 3)).isTrue();
  }

  @Test
  void read_listOfTexts_keepsThem() throws IOException {
    assertThat(read("tokens.json", "[\"a\", \"\\n\"]").text(1)).isEqualTo("\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[[\"a\", \"b\"], [\"c\"], [\"d\", \"e\"]]",
        "{\"tokens\": [[\"a\", {\"token\": \"b\"}], [\"c\"], [\"d\", \"e\"]]}",
        "[[\"a\", \"b\"], \"c\", [\"d\", \"e\"]]"
      })
  void read_listsInAList_areSequences(String content) throws IOException {
    Tokens tokens = read("tokens.json", content);

    assertThat(tokens.size()).isEqualTo(5);
    assertThat(tokens.text(3)).isEqualTo("d");
    assertThat(tokens.sameSequence(0, 1)).isTrue();
    assertThat(tokens.sameSequence(1, 2)).isFalse();
    assertThat(tokens.sameSequence(2, 3)).isFalse();
    assertThat(tokens.sameSequence(3, 4)).isTrue();
  }

  @Test
  void read_sentenceNumbers_areSequences() throws IOException {
    Tokens tokens =
        read(
            "tokens.json",
            "[{\"token\": \"a\", \"sentence\": 0}, {\"token\": \"b\", \"sentence\": 4}]");

    assertThat(tokens.sameSequence(0, 1)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[1]",
        "[[1]]",
        "[[[\"a\"]]]",
        "{\"token\": []}",
        "[{\"text\": \"a\"}]",
        "[\"a\"",
        "[\"a\"] [\"b\"]",
        "{\"tokens\": [\"a\"], \"tokens\": [\"b\"]}",
        "3"
      })
  void read_otherJson_isRefusedWithItsName(String content) {
    assertThatThrownBy(() -> read("tokens.json", content))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tokens.json");
  }

  @Test
  void requireRows_otherNumber_namesBoth() throws IOException {
    Tokens tokens = read("tokens.json", "[\"a\"]");

    assertThatThrownBy(() -> tokens.requireRows(2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 rows")
        .hasMessageContaining("got 1");
  }
}
