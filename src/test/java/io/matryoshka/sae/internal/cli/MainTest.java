package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
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
    "tpo, there is no command 'tpo'; did you mean top?",
    "eval, there is no command 'eval'; did you mean evaluate?",
    "cache lsit, there is no command 'lsit'; did you mean list?",
    "quux, there is no command 'quux'; see",
    "top x --lables, there is no option '--lables'; did you mean --labels",
    "encode x --outptu=y, there is no option '--outptu'; did you mean --output?",
    "info x --zzzzzz, there is no option '--zzzzzz'; see",
  })
  void main_slipOfTheKeyboard_isGivenWhatIsNear(String words, String answer) {
    Cli.Result result = Cli.run((Object[]) words.split(" "));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains(answer).hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/nonexistent", "./nonexistent", "../nonexistent/model"})
  void main_modelFolderThatIsNotThere_isNoBadRepository(String model) {
    Cli.Result result = Cli.run("loss", "--model", model, "--text", "x");
    assertThat(result.code()).isEqualTo(ExitCode.NOT_FOUND.code());
    assertThat(result.err())
        .contains(Path.of(model).toString(), "expected a folder with config.json")
        .hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/nonexistent", "./my-sae", "../my-sae"})
  void main_folderInPlaceOfARelease_isToldAboutDir(String folder) {
    Cli.Result result = Cli.run("info", folder);
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).contains("the path '" + folder + "'", "--dir").hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "encode R -i ACTS -o /proc/latents.safetensors | /proc/latents.safetensors: no",
        "encode R -i ACTS -o /proc/latents | /proc/latents: no",
        "evaluate R --html /proc/report.html | /proc/report.html: no",
      })
  @EnabledOnOs(OS.LINUX)
  void main_resultInAFolderThatTakesNone_isNamedAndNoTemporaryFileIs(String words, String answer) {
    Object[] args =
        Stream.of(words.split(" "))
            .map(word -> word.equals("R") ? Samples.RELEASE : word)
            .map(word -> word.equals("ACTS") ? Samples.ACTIVATIONS.toString() : word)
            .toArray();
    Cli.Result result = Cli.run(args);
    assertThat(result.code()).isEqualTo(ExitCode.IO.code());
    assertThat(result.err()).contains(answer, "the folder /proc").doesNotContain("tmp");
  }

  @Test
  void main_brokenStandardInput_isNoTemporaryFile() {
    InputStream before = System.in;
    byte[] broken = "\u0093NUMPY and no more".getBytes(StandardCharsets.ISO_8859_1);
    System.setIn(new ByteArrayInputStream(broken));
    try {
      Cli.Result result = Cli.run("top", Samples.RELEASE, "-i", "-");
      assertThat(result.code()).isEqualTo(ExitCode.BAD_FILE.code());
      assertThat(result.err()).contains("standard input").doesNotContain(".tmp").hasLineCount(1);
    } finally {
      System.setIn(before);
    }
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
