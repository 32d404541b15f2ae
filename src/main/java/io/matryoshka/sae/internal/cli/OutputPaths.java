package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * Refuses, before any work, a result that would take the place of a file that the command reads, or
 * of another result. The one check for all commands: an option whose value is a path is an input
 * unless it is listed here as a result; files that are located otherwise come from {@link
 * LocatedFiles}.
 */
final class OutputPaths {

  private static final Set<String> RESULTS =
      Set.of(
          "--output",
          "--html",
          "--csv",
          "--latents-csv",
          "--checkpoint",
          "--results",
          "--svg",
          "--work");

  /** What --layers appends to the id of an SAE, for results that are folders of files. */
  private static final Map<String, String> ENDINGS = Map.of("--html", ".html", "--csv", ".csv");

  /** Inputs that are texts because they may be patterns or names on the Hub. */
  private static final Set<String> INPUT_TEXTS =
      Set.of("--input", "--target", "--against-input", "--model", "--dir", "--mask");

  /** Names that may be read as part of a folder; a report beside them does no harm. */
  private static final Pattern DATA_NAME =
      Pattern.compile(".*\\.(safetensors|npy|npz|json|jsonl|pt|pth|bin)");

  /** Names that no file of an SAE or a model has. */
  private static final Pattern REPORT_NAME = Pattern.compile(".*\\.(html|csv|svg)");

  private static final Pattern URI_OF_A_STORE = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:/.*");

  /** Folders of models have parts in folders of their own, such as {@code 1_Pooling}. */
  private static final int DEPTH = 2;

  /**
   * A path and what names it.
   *
   * @param by the option, or the release
   * @param takesNewFiles whether a new file in the folder would be read, too; the folder of latents
   *     has an index
   * @param isOfWeights whether all files of the folder are those of an SAE or a model
   */
  private record Named(String by, Path path, boolean takesNewFiles, boolean isOfWeights) {

    static Named of(OptionSpec option, Path path) {
      String name = option.longestName();
      boolean isSae = name.equals("--dir");
      return new Named(
          name, path, isSae || option.typeInfo().isCollection(), isSae || name.equals("--model"));
    }

    static Named of(LocatedFiles.Folder folder) {
      return new Named("release " + folder.release(), folder.path(), folder.ofSae(), true);
    }
  }

  private final List<Named> results = new ArrayList<>();
  private final List<Named> inputs = new ArrayList<>();

  private final LocatedFiles located;

  private OutputPaths(CommandSpec command) {
    List<OptionSpec> options = command.options();
    located = new LocatedFiles(command);
    boolean withLoss = options.stream().anyMatch(LossMixin::isSetBy);
    for (OptionSpec option : options) {
      boolean isResult = RESULTS.contains(option.longestName());
      for (Path path : paths(option)) {
        (isResult ? results : inputs).add(Named.of(option, path));
        if (withLoss && option.longestName().equals("--checkpoint")) {
          results.add(Named.of(option, LossMixin.checkpointBeside(path)));
        }
      }
    }
    if (!results.isEmpty()) {
      located.folders().forEach(folder -> inputs.add(Named.of(folder)));
      addPlacesOfLayers();
    }
  }

  /** With --layers a folder of results gets a folder, or a file, for each SAE. */
  private void addPlacesOfLayers() {
    List<SaeEntry> layers = located.layers();
    for (Named result : List.copyOf(results)) {
      String ending = ENDINGS.getOrDefault(result.by(), "");
      for (SaeEntry entry : layers) {
        LayerSaes.find(result.path(), entry, ending)
            .ifPresent(place -> results.add(new Named(result.by(), place, false, false)));
      }
    }
  }

  /**
   * Checks the options of a command.
   *
   * @throws ParameterException that names the option, the path and what it would replace
   */
  static void check(CommandSpec command) {
    Optional<String> problem = new OutputPaths(command).problem();
    if (problem.isPresent()) {
      throw new ParameterException(command.commandLine(), problem.get());
    }
  }

  private Optional<String> problem() {
    for (int i = 0; i < results.size(); i++) {
      Named result = results.get(i);
      Optional<String> problem =
          nameProblem(result)
              .or(() -> cacheProblem(result))
              .or(() -> inputs.stream().flatMap(in -> problem(result, in).stream()).findFirst());
      if (problem.isPresent()) {
        return problem;
      }
      for (Named other : results.subList(0, i)) {
        if (place(other.path()).equals(place(result.path()))) {
          return Optional.of(
              "%s and %s both name '%s'; name a file for each"
                  .formatted(other.by(), result.by(), result.path()));
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
              .formatted(result.by(), name));
    }
    return Optional.empty();
  }

  private Optional<String> cacheProblem(Named result) {
    return located.isInCache(place(result.path()))
        ? Optional.of(
            "%s: '%s' lies in the cache of SAEs and models, whose files are read; write to another folder"
                .formatted(result.by(), result.path()))
        : Optional.empty();
  }

  private static Optional<String> problem(Named result, Named input) {
    if (isSame(result.path(), input.path())) {
      return Optional.of(
          "%s: '%s' is what %s names and would be overwritten; name another"
              .formatted(result.by(), result.path(), input.by()));
    }
    if (Files.isDirectory(input.path()) && isDataOf(input, result.path())) {
      return Optional.of(
          "%s: '%s' lies in the folder that %s names, whose files are read; write to another folder"
              .formatted(result.by(), result.path(), input.by()));
    }
    if (Files.isRegularFile(input.path()) && isSame(result.path(), parent(input.path()))) {
      return Optional.of(
          "%s: '%s' is the folder of %s (%s); name a folder of its own"
              .formatted(result.by(), result.path(), input.path().getFileName(), input.by()));
    }
    return Optional.empty();
  }

  /** Whether a file is, or would be, one of those of a folder; links are followed. */
  private static boolean isDataOf(Named folder, Path file) {
    if (folder.takesNewFiles() && isData(file) && isSame(parent(file), folder.path())) {
      return true;
    }
    if (!Files.isRegularFile(file)) {
      return false;
    }
    try (Stream<Path> files = Files.walk(folder.path(), folder.isOfWeights() ? DEPTH : 1)) {
      return files.anyMatch(
          one ->
              (folder.isOfWeights() ? !isReport(one.getFileName().toString()) : isData(one))
                  && isSame(one, file));
    } catch (IOException | UncheckedIOException e) {
      return false; // The command says what is wrong with the folder.
    }
  }

  private static boolean isData(Path file) {
    return DATA_NAME.matcher(file.getFileName().toString().toLowerCase(Locale.ROOT)).matches();
  }

  /** Whether no file of an SAE or a model has such a name. */
  static boolean isReport(String name) {
    return REPORT_NAME.matcher(name.toLowerCase(Locale.ROOT)).matches();
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
  static Path place(Path path) {
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
      } else if (one instanceof String text && RESULTS.contains(option.longestName())) {
        local(text).ifPresent(paths::add);
      } else if (one instanceof String text && INPUT_TEXTS.contains(option.longestName())) {
        paths.addAll(find(text));
      }
    }
    return paths;
  }

  /** The files of a pattern, or the file or folder; none if the text names nothing here. */
  private static List<Path> find(String text) {
    try {
      Optional<Path> path = local(text).filter(Files::exists);
      return path.isPresent() ? List.of(path.get()) : ActivationFiles.find(List.of(text));
    } catch (IOException | InvalidPathException e) {
      return List.of(); // The command says what is missing.
    }
  }

  /**
   * The path on this machine that a text names, be it a path or a URI, as commands of a cluster.
   */
  private static Optional<Path> local(String text) {
    try {
      if (text.startsWith("file:")) {
        return Optional.of(Path.of(URI.create(text).getPath()));
      }
      return URI_OF_A_STORE.matcher(text).matches() ? Optional.empty() : Optional.of(Path.of(text));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // The command says what is wrong with the name.
    }
  }
}
