package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.internal.io.UserPaths;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Where the user's own work is kept if no file is named: {@code $XDG_DATA_HOME/matryoshka-sae},
 * else {@code ~/.local/share/matryoshka-sae}. Unlike a cache, nothing in it can be made again.
 */
final class DataFolder {

  private static final String VARIABLE = "XDG_DATA_HOME";
  private static final String NAME = "matryoshka-sae";

  private DataFolder() {}

  /** The file for the labels of an SAE; empty where the user has no home folder. */
  static Optional<Path> labels(String key, Map<String, String> environment) {
    UserPaths paths = new UserPaths(environment);
    String named = environment.getOrDefault(VARIABLE, "").strip();
    Optional<Path> data =
        named.isEmpty()
            ? paths.home().map(home -> home.resolve(".local").resolve("share"))
            : Optional.of(paths.expand(VARIABLE, named));
    return data.map(folder -> folder.resolve(NAME).resolve("labels").resolve(fileName(key)));
  }

  /** Keeps letters, digits, dots and hyphens; the rest would mean something to some system. */
  private static String fileName(String key) {
    return key.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.-]+", "_") + ".json";
  }
}
