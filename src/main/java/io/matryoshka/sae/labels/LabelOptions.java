package io.matryoshka.sae.labels;

import io.matryoshka.sae.internal.io.CacheFolder;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/**
 * How labels are fetched. Immutable; each method returns a changed copy.
 *
 * @param cacheDir the folder that keeps what was fetched
 * @param offline whether only what is kept is used
 * @param exports the address of Neuronpedia's public exports
 * @param api the address of Neuronpedia
 * @param timeout the longest time that one answer may take
 */
public record LabelOptions(Path cacheDir, boolean offline, URI exports, URI api, Duration timeout) {

  private static final URI EXPORTS =
      URI.create("https://neuronpedia-datasets.s3.us-east-1.amazonaws.com/");
  private static final URI API = URI.create("https://www.neuronpedia.org/");
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  /**
   * Checks that all are given.
   *
   * @param cacheDir the folder that keeps what was fetched
   * @param offline whether only what is kept is used
   * @param exports the address of the exports
   * @param api the address of Neuronpedia
   * @param timeout the longest time that one answer may take
   */
  public LabelOptions {
    Objects.requireNonNull(cacheDir, "cacheDir");
    Objects.requireNonNull(exports, "exports");
    Objects.requireNonNull(api, "api");
    Objects.requireNonNull(timeout, "timeout");
  }

  /**
   * Returns the defaults: this library's cache, online, Neuronpedia's addresses, 60 seconds.
   *
   * @return the defaults
   */
  public static LabelOptions defaults() {
    return in(CacheFolder.root());
  }

  /**
   * Returns the options for a cache folder.
   *
   * @param cacheDir the folder that keeps what was fetched
   * @return the defaults with this folder: online, Neuronpedia's addresses, 60 seconds
   */
  public static LabelOptions in(Path cacheDir) {
    return new LabelOptions(cacheDir, false, EXPORTS, API, TIMEOUT);
  }

  /**
   * Sets whether only what is kept is used.
   *
   * @param value true for no request
   * @return a changed copy
   */
  public LabelOptions withOffline(boolean value) {
    return new LabelOptions(cacheDir, value, exports, api, timeout);
  }

  /**
   * Sets the addresses, such as those of a mirror.
   *
   * @param newExports the address of the exports, ending with a slash
   * @param newApi the address of the API, ending with a slash
   * @return a changed copy
   */
  public LabelOptions withAddresses(URI newExports, URI newApi) {
    return new LabelOptions(cacheDir, offline, newExports, newApi, timeout);
  }

  /**
   * Sets the longest time that one answer may take.
   *
   * @param value above 0
   * @return a changed copy
   */
  public LabelOptions withTimeout(Duration value) {
    return new LabelOptions(cacheDir, offline, exports, api, value);
  }
}
