package io.matryoshka.sae.internal.cli;

import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Runs a command of a program, and turns what comes of it into an exit code. */
final class Launch {

  private Launch() {}

  /**
   * Runs a command and returns its exit code.
   *
   * @param refusal says what is wrong with the options
   */
  static int run(
      Program program,
      CommandLine commandLine,
      IParameterExceptionHandler refusal,
      String... args) {
    Console console = program.console();
    commandLine
        .setOut(console.out())
        .setErr(console.err())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setColorScheme(CommandLine.Help.defaultColorScheme(console.helpAnsi()))
        .setExecutionStrategy(Launch::checkAndRun)
        .setParameterExceptionHandler(refusal)
        .setExecutionExceptionHandler(ErrorLine::ofExecution);
    commandLine
        .getCommandSpec()
        .usageMessage()
        .exitCodeListHeading("%nExit codes:%n")
        .exitCodeList(ExitCode.list());
    int code = execute(commandLine, console, args);
    console.out().flush();
    Optional<IOException> loss = console.loss().get();
    if (loss.isPresent() && code == ExitCode.OK.code()) {
      IOException lost =
          new IOException("stdout cannot be written: " + loss.get().getMessage(), loss.get());
      code = ErrorLine.print(console.err(), commandLine.getCommandName(), lost, false);
    }
    console.err().flush();
    return code;
  }

  private static int checkAndRun(ParseResult parsed) {
    ParseResult command = parsed;
    while (command.hasSubcommand()) {
      command = command.subcommand();
    }
    if (!command.isUsageHelpRequested()) {
      NeededOptions.check(command);
      OutputPaths.check(command.commandSpec());
    }
    return new CommandLine.RunLast().execute(parsed);
  }

  /** Numbers have the same digits and points wherever a command runs, so that scripts read them. */
  private static int execute(CommandLine commandLine, Console console, String... args) {
    Locale ofUser = Locale.getDefault();
    Locale.setDefault(Locale.ROOT);
    try {
      return commandLine.execute(args);
    } catch (Error e) {
      return ErrorLine.print(console.err(), commandLine.getCommandName(), e, false);
    } finally {
      Locale.setDefault(ofUser);
    }
  }
}
