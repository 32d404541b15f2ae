package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.internal.io.HomeFolder;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command {@code matryoshka-sae}; every task is a subcommand with a class of its own. */
@Command(
    name = "matryoshka-sae",
    scope = ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = "Loads and runs pretrained Matryoshka sparse autoencoders (SAEs).",
    subcommands = {
      DemoCommand.class,
      ListCommand.class,
      InfoCommand.class,
      TopCommand.class,
      EncodeCommand.class,
      ExploreCommand.class,
      DecodeCommand.class,
      ActivationsCommand.class,
      GenerateCommand.class,
      LossCommand.class,
      ServeCommand.class,
      EvaluateCommand.class,
      BenchmarkCommand.class,
      DownloadCommand.class,
      CacheCommand.class
    })
public final class Main implements Runnable {

  static {
    HomeFolder.replaceUnknown();
    Logging.beQuiet();
  }

  private final Console console;

  @Spec private CommandSpec spec;

  Main(Console console) {
    this.console = console;
  }

  /**
   * Runs a command and ends the JVM with its exit code.
   *
   * @param args the command, its parameters and options
   */
  public static void main(String[] args) {
    System.exit(run(Console.ofSystem(), args));
  }

  /** Runs a command and returns its exit code. */
  static int run(Console console, String... args) {
    CommandLine commandLine = new CommandLine(new Main(console));
    commandLine
        .setOut(console.out())
        .setErr(console.err())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setColorScheme(CommandLine.Help.defaultColorScheme(console.helpAnsi()))
        .setExecutionStrategy(Main::checkAndRun)
        .setParameterExceptionHandler(ErrorLine::ofParameters)
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
    OutputPaths.check(parsed);
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

  Console console() {
    return console;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "expected a command, got none");
  }
}
