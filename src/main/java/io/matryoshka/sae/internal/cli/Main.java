package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.internal.io.HomeFolder;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
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
public final class Main implements Program, Runnable {

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
    Main program = new Main(console);
    return Launch.run(program, new CommandLine(program), ErrorLine::ofParameters, args);
  }

  @Override
  public Console console() {
    return console;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "expected a command, got none");
  }
}
