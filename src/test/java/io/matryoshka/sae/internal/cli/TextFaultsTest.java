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
}
