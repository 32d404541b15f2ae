package io.matryoshka.sae.io;

import java.nio.file.Path;

/**
 * The folder for what this library keeps of its own: the system property {@value #PROPERTY}, else
 * {@code $MATRYOSHKA_SAE_CACHE}, else {@code $XDG_CACHE_HOME/matryoshka-sae}, else {@code
 * ~/.cache/matryoshka-sae}. Python does not look there.
 */
public final class CacheFolder {

  public static final String PROPERTY = "matryoshka.sae.cache";

  private CacheFolder() {}

  public static Path root() {
    String own = System.getProperty(PROPERTY, System.getenv("MATRYOSHKA_SAE_CACHE"));
    if (own != null && !own.isBlank()) {
      return Path.of(own);
    }
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path base =
        xdg != null && !xdg.isBlank()
            ? Path.of(xdg)
            : Path.of(System.getProperty("user.home"), ".cache");
    return base.resolve("matryoshka-sae");
  }
}
