package io.matryoshka.sae.internal.spark.host;

import io.matryoshka.sae.hub.HubOptions;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What is said of the Hub for all hosts; the rest comes from the environment of each. Part of the
 * settings of a reference. Immutable.
 */
public final class HostHub {

  private static final String REVISION = "revision";
  private static final String OFFLINE = "offline";
  private static final String CACHE_DIR = "cache_dir";
  private static final String ENDPOINT = "endpoint";

  private final TreeMap<String, String> settings;

  private HostHub(TreeMap<String, String> settings) {
    this.settings = settings;
  }

  /** Says nothing. */
  public static HostHub unsaid() {
    return new HostHub(new TreeMap<>());
  }

  /** Sets the branch, tag or commit. */
  public HostHub revision(String revision) {
    return with(REVISION, revision);
  }

  /** Sets whether hosts use only what is in their caches. */
  public HostHub offline(boolean offline) {
    return with(OFFLINE, Boolean.toString(offline));
  }

  /** Sets the folder of the cache. */
  public HostHub cacheDir(String folder) {
    return with(CACHE_DIR, folder);
  }

  /** Sets the address. */
  public HostHub endpoint(URI address) {
    return with(ENDPOINT, address.toString());
  }

  private HostHub with(String key, String value) {
    return new HostHub(Settings.with(settings, key, value));
  }

  /** Returns the settings of a reference with these in place of its own. */
  TreeMap<String, String> addedTo(TreeMap<String, String> others) {
    TreeMap<String, String> all = new TreeMap<>(others);
    all.putAll(settings);
    return all;
  }

  /** Returns how a host reaches the Hub, by the settings of a reference. */
  static HubOptions options(TreeMap<String, String> settings) {
    HubOptions hub = HubOptions.fromEnvironment();
    hub = Boolean.parseBoolean(settings.get(OFFLINE)) ? hub.offline(true) : hub;
    hub = Optional.ofNullable(settings.get(REVISION)).map(hub::revision).orElse(hub);
    hub =
        Optional.ofNullable(settings.get(ENDPOINT)).map(URI::create).map(hub::endpoint).orElse(hub);
    return Optional.ofNullable(settings.get(CACHE_DIR))
        .map(Path::of)
        .map(hub::cacheDir)
        .orElse(hub);
  }
}
