package io.matryoshka.sae.internal.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The option that says how activations of texts are cut into files and tasks. */
final class TokensPerFileMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--tokens-per-file",
      paramLabel = "N",
      defaultValue = "65536",
      description =
          "Tokens in each file of activations, which is a task; default: ${DEFAULT-VALUE}.")
  private int tokens;

  int tokensPerFile() {
    if (tokens < 1) {
      throw new ParameterException(
          command.commandLine(), "--tokens-per-file: expected at least 1, got " + tokens);
    }
    return tokens;
  }
}
