package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts that the language model does not take: which one it is, and why. */
class TextFaultsTest {

  private static final String SAE = "bookworm-3m-res-matryoshka-demo";

  @TempDir private Path folder;

  private Path ids(String content) throws IOException {
    return Files.writeString(folder.resolve("ids.json"), content);
  }

  private static String refused(Object... args) {
    Cli.Result result = Cli.run(args);
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.out()).isEmpty();
    return result.err();
  }

  @ParameterizedTest
  @ValueSource(strings = {"top", "generate", "loss", "evaluate", "loss --steer 1:2"})
  void idOutOfRange_isNamedWithItsText_beforeAnyTextRuns(String words) throws IOException {
    Path ids = ids("[[2, 3], [2, 4], [2, 5, 4096]]");
    Object[] args = (words + " " + SAE + " --ids " + ids).split(" ");
    assertThat(refused(args))
        .contains(
            "ids.json, text 2 (counted from 0): token id 4096 at position 2 is out of range",
            "has ids 0 to 4095");
  }

  @Test
  void idOutOfRange_writesNoFile() throws IOException {
    Path out = folder.resolve("acts");
    String words =
        "activations --model bookworm-3m --hooks logits --texts-per-file 1 --ids %s -o %s";
    Object[] args = words.formatted(ids("[[2, 3], [4096]]"), out).split(" ");
    assertThat(refused(args)).contains("ids.json, text 1 (counted from 0)");
    assertThat(out).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[[2], %s] | ids.json, text 1 (counted from 0) has 2049 tokens",
        "%s | ids.json has 2049 tokens"
      })
  void longText_isNamed(String lists, String message) throws IOException {
    String longer = "[" + "3,".repeat(2048) + "3]";
    assertThat(refused("generate", SAE, "--ids", ids(lists.formatted(longer))))
        .contains(message, "takes at most 2048");
  }

  @Test
  void longTypedText_isNamedByNumberWhereThereAreSeveral() {
    String longer = "word ".repeat(2100);
    assertThat(refused("loss", SAE, "--text", "a", "--text", longer))
        .contains("text 1 (counted from 0) has ");
    assertThat(refused("loss", SAE, "--text", longer)).contains("the text has ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "loss | 2-3,50 | --positions: 50 reaches no token: positions count from 0, and the text is read up to 3",
        "loss --skip-bos | 0 | --positions: 0 reaches no token",
        "generate --max-new-tokens 3 | 6 | the text is read up to 5 with its new tokens",
        "generate --max-new-tokens 1 | 4-9 | the text is read up to 3 with its new tokens"
      })
  void positionsBeyondTheText_areRefused(String words, String positions, String message)
      throws IOException {
    Path ids = ids("[2, 3, 4, 5]");
    String line = words + " " + SAE + " --ablate 3 --ids " + ids + " --positions " + positions;
    Object[] args = line.split(" ");
    assertThat(refused(args)).contains(message);
  }

  @ParameterizedTest
  @CsvSource({"generate --max-new-tokens 3 --ignore-end, 5", "generate --max-new-tokens 3, 0-9999"})
  void positionsOfNewTokens_areTaken(String words, String positions) throws IOException {
    Path ids = ids("[2, 3, 4, 5]");
    String line = words + " " + SAE + " --ablate 3 --ids " + ids + " --positions " + positions;
    Object[] args = line.split(" ");
    Cli.Result result = Cli.run(args);
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err()).doesNotContain("--positions");
  }

  @Test
  void positionsThatSomeTextsDoNotHave_areToldOnce() throws IOException {
    Path ids = ids("[[2, 3, 4, 5], [2, 3], [2]]");
    Cli.Result result =
        Cli.run("loss", SAE, "--ablate", "3", "--ids", ids, "--positions", "0", "3");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err()).containsOnlyOnce("--positions: 3 reached no token of 2 of 3 texts");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1"})
  void newTokens_ofWhichThereWouldBeNone_areRefused(String count) {
    assertThat(refused("generate", SAE, "--text", "a", "--max-new-tokens=" + count))
        .contains("--max-new-tokens: expected at least 1, got " + count);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "top %2$s --ids %1$s",
        "top %2$s --text-file %1$s",
        "top %2$s --text a --labels-file %1$s",
        "top %2$s --text a --tokens %1$s",
        "top %2$s --text a --mask %1$s",
        "evaluate %2$s --text a --checkpoint %1$s",
        "evaluate %2$s --text a --loss --csv %1$s",
        "loss %2$s --text aa --checkpoint %1$s",
        "explore %2$s --text a --html %1$s",
        "list --registry %1$s",
        "serve %2$s --no-open --port 0 --explore %1$s",
        "serve %2$s --no-open --port 0 --text-file %1$s",
        "serve %2$s --no-open --port 0 --labels-file %1$s"
      })
  void folderInPlaceOfAFile_isNamed(String words) {
    Object[] args = words.formatted(folder, SAE).split(" ");
    Cli.Result result = Cli.run(args);
    assertThat(result.code()).as(result.out()).isNotZero();
    assertThat(result.err().lines().filter(line -> line.startsWith("matryoshka-sae")))
        .singleElement()
        .asString()
        .contains(folder.toString())
        .doesNotContain("internal error");
  }
}
