package io.matryoshka.sae.internal.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Prints where the Hub cache is. */
@Command(
    name = "path",
    description = "Prints the folder of the cache.",
    footer = {"", "Example:", "  matryoshka-sae cache path"})
final class CachePathCommand implements Callable<Integer> {

  @Mixin private CacheDirMixin cache;

  @Mixin private Output output;

  @Override
  public Integer call() {
    String path = cache.orDefault().toString();
    if (output.isJson()) {
      output.json(Output.object().put("path", path));
    } else {
      output.line(path);
    }
    return ExitCode.OK.code();
  }
}
