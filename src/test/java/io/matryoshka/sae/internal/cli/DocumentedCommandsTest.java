package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.CodeBlocks;
import io.matryoshka.sae.support.CodeBlocks.Block;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine;

/**
 * Every command line in the documents is one that the program takes; where a block {@code text
 * output} or {@code text excerpt} follows, it prints that.
 */
class DocumentedCommandsTest {

  private static final String PROGRAM = "matryoshka-sae ";
  private static final Pattern WORD = Pattern.compile("\"[^\"]*\"|\\S+");

  @TestFactory
  Stream<DynamicTest> commands_areTakenAndPrintWhatIsShown() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path document : SourceFiles.documents()) {
      List<Block> blocks = CodeBlocks.of(document);
      for (int i = 0; i < blocks.size(); i++) {
        Block block = blocks.get(i);
        List<String[]> commands = commandsIn(block);
        if (!commands.isEmpty()) {
          List<Block> next = blocks.subList(i + 1, Math.min(i + 2, blocks.size()));
          tests.add(
              DynamicTest.dynamicTest(
                  document.getFileName() + ":" + block.line(), () -> check(commands, next)));
        }
      }
    }
    assertThat(tests).isNotEmpty();
    return tests.stream();
  }

  private static List<String[]> commandsIn(Block block) {
    if (!block.isShell()) {
      return List.of();
    }
    return block
        .text()
        .replace("\\\n", " ")
        .lines()
        .map(line -> line.replaceFirst(" +#.*", "").strip())
        .filter(line -> line.startsWith(PROGRAM))
        .map(line -> words(line.substring(PROGRAM.length())))
        .toList();
  }

  /** Splits a line as a shell does: at blanks, but for those in double quotes. */
  private static String[] words(String line) {
    return WORD.matcher(line)
        .results()
        .map(word -> word.group().replace("\"", ""))
        .toArray(String[]::new);
  }

  private static void check(List<String[]> commands, List<Block> next) {
    Console console =
        new Console(new PrintWriter(System.out), new PrintWriter(System.err), false, false);
    for (String[] command : commands) {
      CommandLine line =
          new CommandLine(new Main(console)).setCaseInsensitiveEnumValuesAllowed(true);
      assertThat(line.parseArgs(command).subcommands())
          .as("command of %s", Arrays.toString(command))
          .isNotEmpty();
    }
    for (Block shown : next) {
      if (shown.isOutput() || shown.isExcerpt()) {
        Object[] last = commands.get(commands.size() - 1);
        Cli.Result result = Cli.run(last);
        assertThat(result.code()).as(result.err()).isZero();
        if (shown.isOutput()) {
          assertThat(result.out().lines()).containsExactlyElementsOf(shown.text().lines().toList());
        } else {
          assertThat(result.out().lines()).containsSubsequence(shown.text().lines().toList());
        }
      }
    }
  }
}
