package io.matryoshka.sae.internal.cli;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Refuses, before any work, an option that does nothing without another one. */
final class NeededOptions {

  /**
   * What options are for.
   *
   * @param options those that change how something is done
   * @param needed those of which one asks for it; a command that has none of them takes the options
   *     for something else
   * @param advice what to say after the name of the option
   */
  private record Rule(Set<String> options, Set<String> needed, String advice) {

    boolean isOf(CommandSpec command) {
      return needed.stream().anyMatch(name -> command.findOption(name) != null);
    }
  }

  private static final List<Rule> RULES =
      List.of(
          new Rule(
              Set.of("--context-size"),
              Set.of("--text-file"),
              "is for documents: give them with --text-file, or leave it out"),
          new Rule(
              Set.of("--positions", "--skip-bos"),
              Set.of("--steer", "--ablate", "--scale", "--splice"),
              "says where a change is made: give one with --steer, --ablate, --scale or --splice,"
                  + " or leave it out"),
          new Rule(
              Set.of("--checkpoint-rows"),
              Set.of("--checkpoint"),
              "is for a checkpoint: name its file with --checkpoint, or leave it out"),
          new Rule(
              Set.of("--top-k", "--top-p", "--seed"),
              Set.of("--temperature"),
              "is for tokens that are drawn: give --temperature, or leave it out"));

  private NeededOptions() {}

  /** Whether a list has values; options that read their own are not among the matched ones. */
  private static boolean hasValues(OptionSpec option) {
    Object value = option.getValue();
    return value instanceof Collection<?> values && !values.isEmpty();
  }

  /**
   * Checks the options of a command.
   *
   * @throws ParameterException that names the option and those that it needs
   */
  static void check(ParseResult parsed) {
    ParseResult command = parsed;
    while (command.hasSubcommand()) {
      command = command.subcommand();
    }
    if (command.isUsageHelpRequested()) {
      return;
    }
    CommandSpec spec = command.commandSpec();
    Set<String> given =
        Stream.concat(
                command.matchedOptions().stream(),
                spec.options().stream().filter(NeededOptions::hasValues))
            .map(OptionSpec::longestName)
            .collect(Collectors.toSet());
    for (Rule rule : RULES) {
      if (rule.isOf(spec) && rule.needed().stream().noneMatch(given::contains)) {
        rule.options().stream()
            .filter(given::contains)
            .sorted()
            .findFirst()
            .ifPresent(
                option -> {
                  throw new ParameterException(spec.commandLine(), option + " " + rule.advice());
                });
      }
    }
  }
}
