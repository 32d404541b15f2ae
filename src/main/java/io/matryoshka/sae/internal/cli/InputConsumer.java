package io.matryoshka.sae.internal.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Stack;
import java.util.regex.Pattern;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * Reads the files of an option that takes several. The first word is one in any case; those that
 * follow are, up to an option or a word that names no file and looks like none, such as RELEASE.
 */
final class InputConsumer implements IParameterConsumer {

  private static final Pattern FILE_NAME =
      Pattern.compile(
          ".*\\.(npy|safetensors|npz|pt|pth|bin|arrow|parquet|h5)|.*[*?\\[{].*|[a-z][a-z0-9+.-]*:/.*");

  @Override
  public void consumeParameters(Stack<String> words, ArgSpec option, CommandSpec command) {
    if (words.isEmpty() || isOption(words.peek())) {
      throw new ParameterException(
          command.commandLine(),
          "expected a value for %s %s, got %s"
              .formatted(
                  ((OptionSpec) option).longestName(),
                  option.paramLabel(),
                  words.isEmpty() ? "none" : "the option '" + words.peek() + "'"));
    }
    List<String> before = option.getValue();
    List<String> values = new ArrayList<>(before == null ? List.of() : before);
    values.add(words.pop());
    while (!words.isEmpty() && !isOption(words.peek()) && isFile(words.peek())) {
      values.add(words.pop());
    }
    option.setValue(values);
  }

  private static boolean isOption(String word) {
    return word.length() > 1 && word.startsWith("-");
  }

  private static boolean isFile(String word) {
    try {
      return FILE_NAME.matcher(word.toLowerCase(Locale.ROOT)).matches()
          || Files.exists(Path.of(word));
    } catch (InvalidPathException e) {
      return false;
    }
  }
}
