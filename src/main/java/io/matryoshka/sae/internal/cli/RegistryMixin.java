package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.registry.RegistryException;
import io.matryoshka.sae.registry.ReleaseRegistry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The option that adds release tables of the user. */
final class RegistryMixin {

  @Option(
      names = "--registry",
      paramLabel = "FILE",
      description = "Release table of your own (JSON); may be given several times.")
  private List<Path> files = new ArrayList<>();

  /** Whether the user brings a table. */
  boolean isGiven() {
    return !files.isEmpty();
  }

  ReleaseRegistry registry() throws RegistryException {
    return ReleaseRegistry.load(files.toArray(new Path[0]));
  }
}
