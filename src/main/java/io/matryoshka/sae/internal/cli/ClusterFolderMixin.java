package io.matryoshka.sae.internal.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The folder that a command on a cluster writes several files to. */
final class ClusterFolderMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "URI",
      required = true,
      description = "Folder of the files and their index, on any file system that all hosts see.")
  private String target;

  /** Refuses the name of a single file. */
  void check() {
    if (target.endsWith(".safetensors")) {
      throw new ParameterException(
          command.commandLine(),
          "--output: a cluster writes a folder of several files, got the name of one: '%s'"
              .formatted(target));
    }
  }

  String target() {
    return target;
  }
}
