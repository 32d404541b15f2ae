package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * The options of every command on what it prints. A command gives its result once: as a text for
 * people, or as one JSON value if {@link #isJson}.
 */
final class Output {

  static final String STACK_TRACE = "--stack-trace";

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** When to print colours. */
  enum Colours {
    /** If stdout is a terminal and the environment does not refuse colours (NO_COLOR). */
    AUTO,
    /** Also into files and pipes. */
    ALWAYS,
    /** Never. */
    NEVER
  }

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Show no progress, and do not say which language model was taken.")
  private boolean quiet;

  @Option(
      names = "--color",
      paramLabel = "WHEN",
      defaultValue = "auto",
      description = "Print colours: auto (default; only on a terminal), always or never.")
  private Colours colours;

  @Option(names = STACK_TRACE, description = "Show where a failure arose.")
  private boolean stackTrace;

  boolean isJson() {
    return json;
  }

  /**
   * Checks that files can be written, before the work whose results they are to hold.
   *
   * @param files where results go; one that was not asked for is {@code null}
   * @throws IOException that names the first that cannot be written
   */
  static void requireWritable(Path... files) throws IOException {
    for (Path file : files) {
      if (file != null) {
        AtomicFile.requireWritable(file);
      }
    }
  }

  /** Prints the result for machines. */
  void json(JsonNode value) {
    try {
      line(JSON.writeValueAsString(value));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Reads JSON that the library made. */
  static JsonNode tree(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Makes an empty JSON object. */
  static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  /** Prints a line for people. */
  void line(String text) {
    console().out().println(text);
  }

  /** Prints a table for people, as wide as the terminal if one shows it. */
  void table(TextTable table) {
    int columns = console().outIsTerminal() ? Terminals.columns() : Integer.MAX_VALUE;
    table.lines(columns).forEach(this::line);
  }

  /** Tells a person what the result does not say, on stderr. */
  void note(String text) {
    console().err().println("note: " + StandardInput.named(text));
  }

  /** Tells a person, unless they want it quiet, what was chosen for them. */
  void hint(String text) {
    if (!quiet) {
      note(text);
    }
  }

  /** Whether a person reads the result as it comes. */
  boolean isWatched() {
    return console().outIsTerminal();
  }

  /** Whether the result may have colours. */
  boolean hasColours() {
    return switch (colours) {
      case ALWAYS -> true;
      case NEVER -> false;
      case AUTO -> console().outIsTerminal() && Terminals.takesColours();
    };
  }

  /**
   * Shows how far a task is, once it has taken a second and if a person watches.
   *
   * @param task what is done, in a word or two
   * @param unit what is counted, such as {@code tokens}
   * @param total how many there are, -1 if unknown
   */
  Progress progress(String task, String unit, long total) {
    return new Progress(progressWriter(), task, new Progress.Unit(unit, 1), total);
  }

  /** Shows how many bytes of a task are done, once it has taken a second. */
  Progress byteProgress(String task, long totalBytes) {
    return new Progress(progressWriter(), task, Progress.MEGABYTES, totalBytes);
  }

  /** Shows how far downloads are. */
  DownloadBars downloadBars() {
    return new DownloadBars(progressWriter());
  }

  private Progress.Target progressWriter() {
    return quiet || !console().errIsTerminal()
        ? text -> {}
        : text -> {
          console().err().print(text);
          console().err().flush();
        };
  }

  private Console console() {
    return ((Program) command.root().userObject()).console();
  }
}
