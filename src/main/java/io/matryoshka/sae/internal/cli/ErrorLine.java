package io.matryoshka.sae.internal.cli;

import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Tells the user of a failure in one line on stderr, and picks the exit code. */
final class ErrorLine {

  private ErrorLine() {}

  /** For options and parameters that picocli or a command refuses. */
  static int ofParameters(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    String message =
        oneLine(
            unknownOption(e)
                .or(() -> unknownCommand(e))
                .or(() -> badNumber(e))
                .orElse(e.getMessage()));
    command.getErr().println(name + ": " + message + "; see '" + name + " --help'");
    return ExitCode.USAGE.code();
  }

  /** An option that does not exist, which also explains why others seem to be missing. */
  private static Optional<String> unknownOption(ParameterException e) {
    List<String> unmatched =
        e instanceof UnmatchedArgumentException unknown
            ? unknown.getUnmatched()
            : e instanceof MissingParameterException
                ? e.getCommandLine().getUnmatchedArguments()
                : List.of();
    return unmatched.stream()
        .filter(word -> word.startsWith("-") && word.length() > 1)
        .findFirst()
        .map(word -> word.replaceFirst("=.*", ""))
        .map(
            option ->
                "there is no option '%s'%s"
                    .formatted(option, Spelling.question(option, options(e.getCommandLine()))));
  }

  private static Collection<String> options(CommandLine command) {
    return command.getCommandSpec().optionsMap().keySet();
  }

  private static Optional<String> unknownCommand(ParameterException e) {
    Collection<String> commands = e.getCommandLine().getSubcommands().keySet();
    if (!(e instanceof UnmatchedArgumentException unmatched) || commands.isEmpty()) {
      return Optional.empty();
    }
    String given = unmatched.getUnmatched().get(0);
    return Optional.of(
        "there is no command '%s'%s".formatted(given, Spelling.question(given, commands)));
  }

  /** In place of the names of Java's types. */
  private static Optional<String> badNumber(ParameterException e) {
    String message = e.getMessage();
    String number =
        message
            .replaceAll("' is not an? (int|long)$", "' is not a whole number that is in range")
            .replaceAll("' is not an? (float|double)$", "' is not a number");
    return number.equals(message) ? Optional.empty() : Optional.of(number);
  }

  /** For a command that fails. */
  static int ofExecution(Exception e, CommandLine command, ParseResult parsed) {
    boolean stackTrace = false;
    for (ParseResult p = parsed; p != null; p = p.hasSubcommand() ? p.subcommand() : null) {
      stackTrace |= p.hasMatchedOption(Output.STACK_TRACE);
    }
    return print(command.getErr(), command.getCommandSpec().qualifiedName(), e, stackTrace);
  }

  static int print(PrintWriter err, String name, Throwable failure, boolean stackTrace) {
    Throwable known = failure instanceof UncheckedIOException ? failure.getCause() : failure;
    ExitCode code = ExitCode.of(known);
    err.println(name + ": " + oneLine(describe(known, code)));
    if (stackTrace) {
      failure.printStackTrace(err);
    }
    return code.code();
  }

  private static String describe(Throwable failure, ExitCode code) {
    String message = failure.getMessage();
    String text = message == null ? failure.getClass().getSimpleName() : message;
    if (failure instanceof FileSystemException f && f.getReason() == null) {
      return fileProblem(f) + ": " + f.getFile();
    }
    if (failure instanceof OutOfMemoryError) {
      return "out of memory (" + text + "); use fewer rows, or a larger heap: java -Xmx...";
    }
    if (failure instanceof LinkageError) {
      return "the native library cannot be used: " + text;
    }
    if (code == ExitCode.BUG) {
      return "internal error: "
          + failure.getClass().getName()
          + ": "
          + text
          + "; please report it with the output of "
          + Output.STACK_TRACE;
    }
    return text;
  }

  private static String fileProblem(FileSystemException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file or folder";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileAlreadyExistsException) {
      return "exists already";
    }
    if (e instanceof NotDirectoryException) {
      return "not a folder";
    }
    if (e instanceof DirectoryNotEmptyException) {
      return "the folder is not empty";
    }
    return "the file system refuses";
  }

  private static String oneLine(String text) {
    return StandardInput.named(text).strip().replaceAll("\\s*\\R\\s*", " ");
  }
}
