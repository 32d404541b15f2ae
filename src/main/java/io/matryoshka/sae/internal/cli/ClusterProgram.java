package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.internal.spark.main.Commands;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program of {@code spark-submit}, which {@code SparkMain} finds as a service. */
@Command(
    name = "SparkMain",
    scope = ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = "Runs a Matryoshka SAE over activations or texts on a Spark cluster.",
    subcommands = {
      ClusterEncodeCommand.class,
      ClusterEvaluateCommand.class,
      ClusterExploreCommand.class,
      ClusterActivationsCommand.class
    })
public final class ClusterProgram implements Commands, Program, Runnable {

  private final Console console;

  @Spec private CommandSpec spec;

  /** Made by the service loader. */
  public ClusterProgram() {
    this(Console.ofSystem());
  }

  ClusterProgram(Console console) {
    this.console = console;
  }

  /** The commands, without the options that have no meaning on a cluster. */
  static CommandLine commandLine(ClusterProgram program) {
    CommandLine line = new CommandLine(program);
    line.getSubcommands().values().forEach(command -> RefusedOptions.remove(command));
    return line;
  }

  @Override
  public int run(String... args) {
    return Launch.run(this, commandLine(this), RefusedOptions::explain, args);
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
