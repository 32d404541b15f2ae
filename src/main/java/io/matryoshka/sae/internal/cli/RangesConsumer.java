package io.matryoshka.sae.internal.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Stack;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads numbers and ranges such as {@code 3 7-9,12}, up to a word that is none, such as RELEASE.
 */
final class RangesConsumer implements IParameterConsumer {

  private static final String FORM = "\\d[\\d,-]*";

  @Override
  public void consumeParameters(Stack<String> words, ArgSpec option, CommandSpec command) {
    String name = ((OptionSpec) option).longestName();
    if (words.isEmpty()) {
      throw new ParameterException(
          command.commandLine(), "expected a value for %s, got none".formatted(name));
    }
    List<IntRange> before = option.getValue();
    List<IntRange> values = new ArrayList<>(before == null ? List.of() : before);
    do {
      for (String range : words.pop().split(",")) {
        try {
          values.add(new IntRange.Converter().convert(range));
        } catch (TypeConversionException e) {
          throw new ParameterException(command.commandLine(), name + ": " + e.getMessage());
        }
      }
    } while (!words.isEmpty() && words.peek().matches(FORM));
    option.setValue(values);
  }
}
