package io.matryoshka.sae.labels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes of a file of one's own labels. */
class EditedLabelFileTest {

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"a.json", "b.csv", "C.JSON"})
  void label_isInTheFileAtOnce_andReadAgain(String name) throws IOException {
    Path file = folder.resolve("new").resolve(name);
    LabelFile labels = LabelFile.open(file);
    assertThat(file).doesNotExist();
    labels.put(7, "a \"quoted\", \n text");
    labels.put(12, "ümlaut");
    labels.put(7, "a \"quoted\", other text");
    Labels read = Labels.load(file);
    assertThat(read.find(7).orElseThrow().text()).isEqualTo("a \"quoted\", other text");
    assertThat(read.find(12).orElseThrow().text()).isEqualTo("ümlaut");
    assertThat(labels.all().keySet()).containsExactly(7, 12);
    labels.remove(7);
    labels.remove(8);
    assertThat(labels.find(7)).isEmpty();
    assertThat(LabelFile.open(file).all().keySet()).containsExactly(12);
  }

  @Test
  void changesOfAnotherProgram_areKept() throws IOException {
    Path file = folder.resolve("a.json");
    LabelFile one = LabelFile.open(file);
    LabelFile other = LabelFile.open(file);
    one.put(1, "one");
    other.put(2, "two");
    one.put(3, "three");
    assertThat(one.all().keySet()).containsExactly(1, 2, 3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "a.csv | `latent,label,author\n1,x,me\n`",
        "a.json | `[{\"latent\": 1, \"label\": \"x\", \"by\": \"me\"}]`"
      })
  void fileThatHoldsMore_isNotOpened_andStays(String name, String content) throws IOException {
    Path file = Files.writeString(folder.resolve(name), content);
    assertThatThrownBy(() -> LabelFile.open(file))
        .isInstanceOf(LabelException.class)
        .hasMessageContaining("holds more than latents and labels");
    assertThat(file).hasContent(content);
  }

  @Test
  void fileThatBecameMalformed_isNotReplaced() throws IOException {
    Path file = folder.resolve("a.json");
    LabelFile labels = LabelFile.open(file);
    labels.put(1, "one");
    Files.writeString(file, "{");
    assertThatThrownBy(() -> labels.put(2, "two")).isInstanceOf(LabelException.class);
    assertThat(file).hasContent("{");
    assertThat(labels.find(2)).isEmpty();
  }

  @Test
  void blankLabelAndOtherNames_areRefused() throws IOException {
    LabelFile labels = LabelFile.open(folder.resolve("a.json"));
    assertThatThrownBy(() -> labels.put(1, " \n"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("blank");
    assertThat(folder.resolve("a.json")).doesNotExist();
    assertThatThrownBy(() -> LabelFile.open(folder.resolve("a.txt")))
        .hasMessageContaining("ends with .csv or .json");
  }
}
