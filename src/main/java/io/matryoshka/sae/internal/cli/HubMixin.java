package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.hub.ProgressListener;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options on the Hugging Face Hub and its cache. There is none for the token, since other users
 * of a machine can read command lines: it comes from HF_TOKEN or the token file.
 */
final class HubMixin {

  @Option(
      names = "--revision",
      paramLabel = "REV",
      description = "Branch, tag or commit on the Hub; default: that of the release, or main.")
  private String revision;

  @Option(names = "--offline", description = "Send no request; use only what is cached.")
  private boolean offline;

  @Option(names = "--force-download", description = "Fetch files again although they are cached.")
  private boolean forceDownload;

  @Mixin private CacheDirMixin cache;

  @Option(
      names = "--endpoint",
      paramLabel = "URL",
      description =
          "Address of the Hub or a mirror; default: HF_ENDPOINT. The token comes from"
              + " HF_TOKEN.")
  private URI endpoint;

  /** What was given; the rest comes from the environment. */
  HubOptions options(ProgressListener listener) {
    HubOptions options =
        HubOptions.fromEnvironment().forceDownload(forceDownload).progress(listener);
    options = offline ? options.offline(true) : options;
    options = cache.given().map(options::cacheDir).orElse(options);
    options = endpoint != null ? options.endpoint(endpoint) : options;
    return revision != null ? options.revision(revision) : options;
  }

  /** Makes a client of the Hub. */
  HubClient client(ProgressListener listener) {
    return HubClient.of(options(listener));
  }

  boolean isOffline() {
    return offline;
  }

  /** The cache, if one was named. */
  Optional<Path> cacheDir() {
    return cache.given();
  }

  /** The address of the Hub, if one was given. */
  Optional<URI> endpoint() {
    return Optional.ofNullable(endpoint);
  }

  /** The revision, if one was given. */
  Optional<String> revision() {
    return Optional.ofNullable(revision);
  }
}
