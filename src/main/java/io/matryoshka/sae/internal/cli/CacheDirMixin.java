package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.internal.io.UserPaths;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The option that names the Hub cache. */
final class CacheDirMixin {

  @Option(
      names = "--cache-dir",
      paramLabel = "FOLDER",
      description = "Hub cache, shared with Python; default: HF_HUB_CACHE or HF_HOME/hub.")
  private Path cacheDir;

  /** What was given, if anything. */
  Optional<Path> given() {
    return Optional.ofNullable(cacheDir).map(CacheDirMixin::expand);
  }

  /** Shells leave {@code --cache-dir=~/hub} as it is. */
  private static Path expand(Path path) {
    String text = path.toString();
    return text.startsWith("~") ? new UserPaths(System.getenv()).expand("--cache-dir", text) : path;
  }

  /** What was given, else what the environment says. */
  Path orDefault() {
    HubOptions options = HubOptions.fromEnvironment();
    return given().map(options::cacheDir).orElse(options).cacheDir();
  }
}
