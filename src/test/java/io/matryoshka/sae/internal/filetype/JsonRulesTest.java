package io.matryoshka.sae.internal.filetype;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** JSON of users and of Python's programs, and the words for what is wrong with it. */
class JsonRulesTest {

  private static String problem(String json) {
    JsonProcessingException e =
        catchThrowableOfType(JsonProcessingException.class, () -> JsonRules.STRICT.parse(json));
    return JsonProblems.describe("a.json", e);
  }

  @Test
  void keyThatStandsThereTwice_isForPythonTheLastOne() throws IOException {
    String json = "{\"a\": 1, \"a\": 2}";
    assertThat(JsonRules.PYTHON.parse(json).get("a").intValue()).isEqualTo(2);
    assertThat(problem(json)).startsWith("a.json: the key 'a' stands there twice (line 1,");
  }

  @Test
  void valuesThatNeverWere_areNumbersForPythonAlone() throws IOException {
    assertThat(JsonRules.PYTHON.parse("[NaN]").get(0).doubleValue()).isNaN();
    assertThat(problem("[NaN]"))
        .startsWith("a.json: not JSON: NaN stands there, which is no value");
  }

  @ParameterizedTest
  @EnumSource(JsonRules.class)
  void textAfterTheValue_isRefused(JsonRules rules) {
    assertThatThrownBy(() -> rules.parse("{} {}")).isInstanceOf(JsonProcessingException.class);
    assertThatThrownBy(() -> rules.parse("{} x")).isInstanceOf(JsonProcessingException.class);
  }

  @Test
  void folder_isNamed(@TempDir Path folder) {
    assertThatThrownBy(() -> JsonRules.STRICT.read(folder))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(folder + ": expected a file, and this is a folder");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} {} | not JSON: one JSON value was expected, and more follows it",
        "[1, // x | not JSON: Unexpected character ('/' (code 47)); JSON has no comments",
        "{\"a\": | not JSON: Unexpected end-of-input within/between Object entries (line 1",
        "[{\"a\": 1} | not JSON: Unexpected end-of-input: expected close marker for Array from line 1"
      })
  void problems_areToldInPlainWords(String json, String message) {
    assertThat(problem(json)).contains(message).doesNotContain("Feature", "Source", "`");
  }

  @Test
  void moreThanIsRead_isToldInPlainWords() {
    assertThat(problem("[".repeat(2000)))
        .startsWith(
            "a.json: lists and objects lie 1001 deep in each other, and at most 1000 are read");
    assertThat(problem("[" + "1".repeat(2000) + "]"))
        .startsWith("a.json: a number has 2000 digits, and at most 1000 are read");
  }
}
