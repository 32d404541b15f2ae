package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

  @Test
  void main_withoutCommand_saysSoInOneLine() {
    Cli.Result result = Cli.run();
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .isEqualTo("matryoshka-sae: expected a command, got none; see 'matryoshka-sae --help'\n");
  }

  @Test
  void help_listsCommandsAndExitCodes() {
    Cli.Result result = Cli.run("--help");
    assertThat(result.code()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out()).contains("Commands:", "list", "Exit codes:");
    for (ExitCode code : ExitCode.values()) {
      assertThat(result.out()).containsPattern(" " + code.code() + "  ");
    }
  }

  @Test
  void version_isPrinted() {
    assertThat(Cli.run("--version").out()).startsWith("matryoshka-sae ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lst", "--jsno"})
  void main_unknownWord_isNamed(String word) {
    Cli.Result result = Cli.run(word);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains("'" + word + "'").hasLineCount(1);
  }

  @Test
  void main_commandWithATypingError_isGivenTheRightOne() {
    assertThat(Cli.run("evalaute").err())
        .contains(
            "there is no command 'evalaute'; did you mean",
            "evaluate",
            "see 'matryoshka-sae --help'");
  }

  @ParameterizedTest
  @CsvSource({
    "--prefix, abc, 'abc' is not a whole number that is in range",
    "--scaling-factor, abc, 'abc' is not a number"
  })
  void main_wordInPlaceOfANumber_isNamedWithoutJavaTypes(
      String option, String value, String problem) {
    Cli.Result result = Cli.run("info", "x", option, value);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains(option, problem).doesNotContain("double", "is not an int");
  }
}
