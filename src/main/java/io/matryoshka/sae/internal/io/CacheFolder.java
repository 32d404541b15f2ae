package io.matryoshka.sae.internal.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder for what this library keeps of its own: the system property {@value #PROPERTY}, else
 * {@code $MATRYOSHKA_SAE_CACHE}, else {@code $XDG_CACHE_HOME/matryoshka-sae}, else {@code
 * ~/.cache/matryoshka-sae}. Python does not look there.
 *
 * <p>Where nobody named a folder and the usual one cannot be made, as in a container whose user has
 * no home, a temporary folder serves for as long as the program runs.
 */
public final class CacheFolder {

  /** The system property that takes precedence over the environment. */
  public static final String PROPERTY = "matryoshka.sae.cache";

  /** The environment variable. */
  public static final String VARIABLE = "MATRYOSHKA_SAE_CACHE";

  private static final Logger LOG = LoggerFactory.getLogger(CacheFolder.class);
  private static final String NAME = "matryoshka-sae";

  private CacheFolder() {}

  private static final class Temporary {
    static final Path FOLDER = create();

    private static Path create() {
      try {
        Path folder = Files.createTempDirectory(NAME);
        DeletedOnExit.add(folder);
        return folder;
      } catch (IOException e) {
        throw new IllegalStateException(
            "no cache folder can be written, not even a temporary one (%s); set %s to a folder that can be written"
                .formatted(e, VARIABLE),
            e);
      }
    }
  }

  /**
   * Returns the folder.
   *
   * @return an absolute path; the folder exists unless the user named it
   * @throws IllegalArgumentException if the name cannot be expanded
   */
  public static Path root() {
    return root(System.getProperty(PROPERTY, ""), System.getenv());
  }

  static Path root(String property, Map<String, String> environment) {
    UserPaths paths = new UserPaths(environment);
    if (!property.isBlank()) {
      return paths.expand(PROPERTY, property);
    }
    Optional<Path> named = variable(VARIABLE, environment, paths);
    if (named.isPresent()) {
      return named.get();
    }
    return variable("XDG_CACHE_HOME", environment, paths)
        .or(() -> paths.home().map(home -> home.resolve(".cache")))
        .map(folder -> folder.resolve(NAME))
        .filter(CacheFolder::canBeMade)
        .orElseGet(CacheFolder::temporary);
  }

  private static Optional<Path> variable(
      String name, Map<String, String> environment, UserPaths paths) {
    return Optional.ofNullable(environment.get(name))
        .map(String::strip)
        .filter(value -> !value.isEmpty())
        .map(value -> paths.expand(name, value));
  }

  /**
   * Tells whether files can be written to a folder, which is made if it is not there.
   *
   * @param folder the folder
   * @return whether it can be written
   */
  public static boolean canBeMade(Path folder) {
    try {
      return Files.isWritable(Files.createDirectories(folder));
    } catch (IOException e) {
      LOG.debug("{} cannot be made", folder, e);
      return false;
    }
  }

  private static Path temporary() {
    Path folder = Temporary.FOLDER;
    LOG.info("No cache folder can be written; {} serves; set {} to keep a cache", folder, VARIABLE);
    return folder;
  }
}
