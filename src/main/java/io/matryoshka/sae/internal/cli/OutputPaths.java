package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.stream.ActivationFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Refuses, before any work, a result that would take the place of a file that the command reads, or
 * of another result. The one check for all commands: an option whose value is a path is an input
 * unless it is listed here as a result.
 */
final class OutputPaths {

  private static final Set<String> RESULTS =
      Set.of("--output", "--html", "--csv", "--latents-csv", "--checkpoint", "--results", "--svg");

  /** Inputs that are texts because they may be patterns or names on the Hub. */
  private static final Set<String> INPUT_TEXTS =
      Set.of("--input", "--target", "--against-input", "--model", "--dir", "--mask");

  /** Names that may be read as part of a folder; a report beside them does no harm. */
  private static final Pattern DATA_NAME =
      Pattern.compile(".*\\.(safetensors|npy|npz|json|jsonl|pt|pth|bin)");

  /** A path and the option that names it. */
  private record Named(OptionSpec spec, Path path) {

    String option() {
      return spec.longestName();
    }

    /** Whether a new file in the folder would be read, too; the folder of latents has an index. */
    boolean takesNewFiles() {
      return option().equals("--dir") || spec.typeInfo().isCollection();
    }
  }

  private final List<Named> results = new ArrayList<>();
  private final List<Named> inputs = new ArrayList<>();

  private OutputPaths(List<OptionSpec> options) {
    boolean withLoss = options.stream().anyMatch(LossMixin::isSetBy);
    for (OptionSpec option : options) {
      boolean isResult = RESULTS.contains(option.longestName());
      for (Path path : paths(option)) {
        (isResult ? results : inputs).add(new Named(option, path));
        if (withLoss && option.longestName().equals("--checkpoint")) {
          results.add(new Named(option, LossMixin.checkpointBeside(path)));
        }
      }
    }
  }

  /**
   * Checks the options of a command.
   *
   * @throws ParameterException that names the option, the path and what it would replace
   */
  static void check(ParseResult parsed) {
    ParseResult command = parsed;
    while (command.hasSubcommand()) {
      command = command.subcommand();
    }
    if (command.isUsageHelpRequested()) {
      return;
    }
    Optional<String> problem = new OutputPaths(command.commandSpec().options()).problem();
    if (problem.isPresent()) {
      throw new ParameterException(command.commandSpec().commandLine(), problem.get());
    }
  }

  private Optional<String> problem() {
    for (int i = 0; i < results.size(); i++) {
      Named result = results.get(i);
      Optional<String> problem =
          nameProblem(result)
              .or(() -> inputs.stream().flatMap(in -> problem(result, in).stream()).findFirst());
      if (problem.isPresent()) {
        return problem;
      }
      for (Named other : results.subList(0, i)) {
        if (place(other.path()).equals(place(result.path()))) {
          return Optional.of(
              "%s and %s both name '%s'; name a file for each"
                  .formatted(other.option(), result.option(), result.path()));
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> nameProblem(Named result) {
    String name = result.path().toString();
    boolean isRoot = result.path().getFileName() == null;
    if (name.isBlank()
        || name.equals(StandardInput.NAME)
        || isRoot
        || isSame(result.path(), Path.of(""))) {
      return Optional.of(
          "%s: expected the name of a file, or of a folder of its own, got '%s'"
              .formatted(result.option(), name));
    }
    return Optional.empty();
  }

  private static Optional<String> problem(Named result, Named input) {
    if (isSame(result.path(), input.path())) {
      return Optional.of(
          "%s: '%s' is what %s names and would be overwritten; name another"
              .formatted(result.option(), result.path(), input.option()));
    }
    if (Files.isDirectory(input.path()) && isDataOf(input, result.path())) {
      return Optional.of(
          "%s: '%s' lies in the folder that %s names, whose files are read; write to another folder"
              .formatted(result.option(), result.path(), input.option()));
    }
    if (Files.isRegularFile(input.path()) && isSame(result.path(), parent(input.path()))) {
      return Optional.of(
          "%s: '%s' is the folder of %s (%s); name a folder of its own"
              .formatted(
                  result.option(), result.path(), input.path().getFileName(), input.option()));
    }
    return Optional.empty();
  }

  /** Whether a file is, or would be, one of those of a folder; links are followed. */
  private static boolean isDataOf(Named folder, Path file) {
    if (folder.takesNewFiles() && isData(file) && isSame(parent(file), folder.path())) {
      return true;
    }
    try (Stream<Path> files = Files.list(folder.path())) {
      return Files.isRegularFile(file) && files.anyMatch(one -> isData(one) && isSame(one, file));
    } catch (IOException e) {
      return false; // The command says what is wrong with the folder.
    }
  }

  private static boolean isData(Path file) {
    return DATA_NAME.matcher(file.getFileName().toString().toLowerCase(Locale.ROOT)).matches();
  }

  private static boolean isSame(Path one, Path other) {
    try {
      return Files.exists(one) && Files.exists(other) && Files.isSameFile(one, other);
    } catch (IOException e) {
      return false;
    }
  }

  private static Path parent(Path path) {
    Path absolute = path.toAbsolutePath().normalize();
    return Optional.ofNullable(absolute.getParent()).orElse(absolute);
  }

  /** Where a file is or will be, without links. */
  private static Path place(Path path) {
    try {
      return Files.exists(path)
          ? path.toRealPath()
          : parent(path).toRealPath().resolve(path.getFileName());
    } catch (IOException e) {
      return path.toAbsolutePath().normalize();
    }
  }

  private static List<Path> paths(OptionSpec option) {
    Object value = option.getValue();
    Collection<?> values =
        value instanceof Collection<?> c ? c : value == null ? List.of() : List.of(value);
    List<Path> paths = new ArrayList<>();
    for (Object one : values) {
      if (one instanceof Path path) {
        paths.add(path);
      } else if (one instanceof String text && INPUT_TEXTS.contains(option.longestName())) {
        paths.addAll(find(text));
      }
    }
    return paths;
  }

  /** The files of a pattern, or the file or folder; none if the text names nothing here. */
  private static List<Path> find(String text) {
    try {
      Path path = Path.of(text);
      return Files.exists(path) ? List.of(path) : ActivationFiles.find(List.of(text));
    } catch (IOException | InvalidPathException e) {
      return List.of(); // The command says what is missing.
    }
  }
}
