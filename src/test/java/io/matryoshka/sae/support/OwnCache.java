package io.matryoshka.sae.support;

import io.matryoshka.sae.internal.io.CacheFolder;
import java.nio.file.Path;
import java.util.Optional;

/** Lets this library keep its cache in a folder, until this is closed. */
public final class OwnCache implements AutoCloseable {

  private final Optional<String> before = Optional.ofNullable(setting());

  private OwnCache() {}

  private static String setting() {
    return System.getProperty(CacheFolder.PROPERTY);
  }

  /** Begins to keep the cache in a folder. */
  public static OwnCache in(Path folder) {
    OwnCache cache = new OwnCache();
    System.setProperty(CacheFolder.PROPERTY, folder.toString());
    return cache;
  }

  @Override
  public void close() {
    before.ifPresentOrElse(
        folder -> System.setProperty(CacheFolder.PROPERTY, folder),
        () -> System.clearProperty(CacheFolder.PROPERTY));
  }
}
