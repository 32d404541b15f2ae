package io.matryoshka.sae.spark;

import java.util.Optional;
import picocli.CommandLine.Option;

/** The options on the Hugging Face Hub and the caches of the hosts. */
final class HubArguments {

  @Option(names = "--revision", paramLabel = "REV", description = "Branch, tag or commit.")
  private String revision;

  @Option(names = "--offline", description = "Hosts use only what is in their caches.")
  private boolean offline;

  @Option(
      names = "--cache-dir",
      paramLabel = "FOLDER",
      description = "Cache of the Hub, the same path on every host.")
  private String cacheDir;

  Optional<String> revision() {
    return Optional.ofNullable(revision);
  }

  boolean isOffline() {
    return offline;
  }

  Optional<String> cacheDir() {
    return Optional.ofNullable(cacheDir);
  }
}
