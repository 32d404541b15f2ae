package io.matryoshka.sae.internal.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Groups the commands on the Hub cache. */
@Command(
    name = "cache",
    description = "Looks at the Hub cache, which is shared with Python's huggingface_hub.",
    subcommands = {CacheListCommand.class, CacheVerifyCommand.class, CachePathCommand.class},
    footer = {"", "Example:", "  matryoshka-sae cache list"})
final class CacheCommand implements Runnable {

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "expected one of " + spec.subcommands().keySet() + ", got none");
  }
}
