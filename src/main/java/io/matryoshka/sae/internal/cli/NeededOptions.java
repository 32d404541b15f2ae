package io.matryoshka.sae.internal.cli;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
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
   * @param where a command without this option takes them for something else, too
   * @param advice what to say after the name of the option
   */
  private record Rule(
      Set<String> options, Set<String> needed, Optional<String> where, String advice) {

    Rule(Set<String> options, Set<String> needed, String advice) {
      this(options, needed, Optional.empty(), advice);
    }

    boolean isOf(CommandSpec command) {
      return needed.stream().anyMatch(name -> command.findOption(name) != null)
          && where.map(name -> command.findOption(name) != null).orElse(true);
    }
  }

  private static final Optional<String> TAKES_INPUT = Optional.of("--input");

  private static final List<Rule> RULES =
      List.of(
          new Rule(
              Set.of(
                  "--model",
                  "--bfloat16-products",
                  "--layers",
                  "--loss",
                  "--skip-special-tokens",
                  "--work",
                  "--keep-activations",
                  "--tokens-per-file"),
              Set.of("--text", "--text-file", "--ids"),
              TAKES_INPUT,
              "is for text: give --text, --text-file or --ids in place of --input, or leave it out"),
          new Rule(
              Set.of("--tensor", "--as"),
              Set.of("--input", "--against-input"),
              TAKES_INPUT,
              "is for files of activations: give them with --input, or leave it out"),
          new Rule(
              Set.of("--context-size"),
              Set.of("--text-file"),
              "is for documents: give them with --text-file, or leave it out"),
          new Rule(
              Set.of("--corpus-tokens"),
              Set.of("--text-file"),
              "says how much of a corpus is read: give one with --text-file, or leave it out"),
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

  /** What says how a folder is written, where {@code --output} may name a file in its place. */
  private static final Set<String> OF_FOLDERS =
      Set.of("--restart", "--rows-per-shard", "--texts-per-file");

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
  static void check(ParseResult command) {
    CommandSpec spec = command.commandSpec();
    Set<String> given =
        Stream.concat(
                command.matchedOptions().stream(),
                spec.options().stream().filter(NeededOptions::hasValues))
            .map(OptionSpec::longestName)
            .collect(Collectors.toSet());
    for (Rule rule : RULES) {
      if (rule.isOf(spec) && rule.needed().stream().noneMatch(given::contains)) {
        refuse(spec, given, rule.options(), rule.advice());
      }
    }
    if (writesFile(spec)) {
      refuse(
          spec,
          given,
          OF_FOLDERS,
          "is for a folder: give --output a name that does not end in .safetensors, or leave it out");
    }
  }

  private static boolean writesFile(CommandSpec command) {
    OptionSpec output = command.findOption("--output");
    return output != null && output.getValue() instanceof Path path && FileOrFolder.isFile(path);
  }

  private static void refuse(
      CommandSpec spec, Set<String> given, Set<String> options, String advice) {
    options.stream()
        .filter(given::contains)
        .sorted()
        .findFirst()
        .ifPresent(
            option -> {
              throw new ParameterException(spec.commandLine(), option + " " + advice);
            });
  }
}
