package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Texts and ids of users: nothing of them is left out in silence. */
class InputFilesTest {

  @TempDir Path folder;

  private Path write(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  private List<String> documents(String name, String content) throws IOException {
    List<String> documents = new ArrayList<>();
    TextFiles.read(write(name, content), documents::add);
    return documents;
  }

  @Test
  void byteOrderMark_isNoPartOfAText() throws IOException {
    assertThat(documents("a.txt", "\ufeffone")).containsExactly("one");
    assertThat(documents("a.jsonl", "\ufeff\"one\"\n\"two\"")).containsExactly("one", "two");
    assertThat(TokenIdFile.read(write("a.json", "\ufeff[[2, 3]]"))).hasSize(1);
  }

  @Test
  void halfASurrogatePair_becomesTheReplacementCharacter() throws IOException {
    assertThat(documents("a.jsonl", "{\"text\":\"a \\ud800 b \\ud83d\\ude00\"}"))
        .containsExactly("a \ufffd b \ud83d\ude00");
  }

  @Test
  void secondValueOnALine_isRefused() {
    assertThatThrownBy(
            () -> documents("a.jsonl", "\"one\"\n{\"text\":\"two\"} {\"text\":\"three\"}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("a.jsonl, line 2", "one JSON value was expected")
        .hasMessageNotContaining("JsonNode");
  }

  @Test
  void keyGivenTwice_isRefused() {
    assertThatThrownBy(() -> documents("a.jsonl", "{\"text\":\"one\",\"text\":\"two\"}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("a.jsonl, line 1", "text");
  }

  @Test
  void idsAfterTheFirstList_areRefused() {
    for (String content : List.of("[2,3]\n[4,5]", "[[2,3]] trailing")) {
      assertThatThrownBy(() -> TokenIdFile.read(write("a.json", content)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("a.json");
    }
  }

  @Test
  void jsonLinesInPlaceOfAList_areToldWhatToDo() {
    assertThatThrownBy(() -> TokenIdFile.read(write("a.jsonl", "[2, 3]\n\n[4, 5]\n[6]")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("a.jsonl", "each of its 3 lines", "one outer list");
    assertThatThrownBy(
            () -> TokenIdFile.read(write("b.json", "{\"text\":\"a\"}\n{\"text\":\"b\"}")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("b.json", "each of its 2 lines", "--text-file");
    assertThatThrownBy(() -> TokenIdFile.read(write("c.json", "[[2, 3]]\nthe end")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("c.json: not JSON: ")
        .hasMessageNotContaining("lines");
  }

  @Test
  void idThatIsNone_isNamedWithItsText() {
    assertThatThrownBy(() -> TokenIdFile.read(write("a.json", "[[2, 3], [4, -5]]")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("a.json, text 1 (counted from 0), position 1", "got -5");
  }

  @Test
  void folderInPlaceOfAFile_isNamed() {
    assertThatThrownBy(() -> TokenIdFile.read(folder))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(folder.toString(), "expected a file");
    assertThatThrownBy(() -> TextFiles.read(folder, text -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(folder.toString(), "expected a file");
  }
}
