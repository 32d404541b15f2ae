package io.matryoshka.sae.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches files of model repositories from the Hugging Face Hub, each once, into the cache that
 * Python's {@code huggingface_hub} uses as well.
 *
 * <pre>{@code
 * HubClient hub = HubClient.fromEnvironment();
 * Path config = hub.download(RepoFile.of("owner/name", "folder/cfg.json"));
 * }</pre>
 *
 * <p>A file that is returned is complete: its length was checked, and its hash where the Hub names
 * one. Any number of threads, clients and processes may ask for the same file at the same time; one
 * of them fetches it. A thread that is interrupted stops with an {@link
 * java.io.InterruptedIOException}, and what it has fetched serves the next attempt. The proxy is
 * the one of the JVM ({@code https.proxyHost} and its kin), else that of the environment ({@code
 * HTTPS_PROXY} and its kin); certificate authorities named in {@code SSL_CERT_FILE} are trusted
 * beside those of the JVM.
 *
 * <p>Python's client and this one do not keep each other out: its locks are of another kind ({@code
 * flock}, where Java has {@code fcntl}). Both may fetch the same file at the same time; each writes
 * to a name of its own and renames it when it is whole, so the result is right all the same.
 *
 * <p>Immutable and safe for concurrent use; use one client for many files, as it keeps connections.
 */
public final class HubClient {
  private static final Logger LOG = LoggerFactory.getLogger(HubClient.class);

  private final HubSettings settings;
  private final FileFetcher fetcher;

  private HubClient(HubSettings settings) {
    this.settings = settings;
    this.fetcher = new FileFetcher(settings);
  }

  /**
   * Makes a client from the environment variables alone, such as {@code HF_HOME}, {@code HF_TOKEN},
   * {@code HF_ENDPOINT} and {@code HF_HUB_OFFLINE}.
   *
   * @return the client
   * @throws IllegalArgumentException if a variable has a value that cannot be used
   */
  public static HubClient fromEnvironment() {
    return of(HubOptions.fromEnvironment());
  }

  /**
   * Makes a client. Reads the environment, and the token file if no token was set.
   *
   * @param options what to use instead of the environment
   * @return the client
   * @throws IllegalArgumentException if a variable of the environment has a value that cannot be
   *     used
   */
  public static HubClient of(HubOptions options) {
    return new HubClient(options.settings());
  }

  /**
   * Returns the path of a file, after fetching it if the cache lacks it or has an older version.
   *
   * <p>A revision that is not a full commit hash is looked up on the Hub each time; when the Hub
   * cannot be reached, the commit last seen is used.
   *
   * @param file what to fetch
   * @return its path in the cache; do not write to it
   * @throws RepositoryNotFoundException if the repository does not exist or is private
   * @throws GatedRepositoryException if the repository's terms must be accepted first
   * @throws BadTokenException if the Hub does not know the token
   * @throws AccessForbiddenException if the token does not allow this
   * @throws RevisionNotFoundException if there is no such branch, tag or commit
   * @throws EntryNotFoundException if there is no such file
   * @throws NotCachedException if this client is offline and the file is not cached
   * @throws RateLimitedException if the Hub wants no more requests for now
   * @throws HubUnavailableException if the Hub cannot be reached
   * @throws IntegrityException if what arrives is not what the Hub announced
   * @throws CacheWriteException if the cache cannot be written
   * @throws IOException if it fails otherwise
   */
  public Path download(RepoFile file) throws IOException {
    return fetcher.fetch(Objects.requireNonNull(file, "file"));
  }

  /**
   * Returns the path of a file, after comparing its length with what the Hub says, also where the
   * revision is a commit: another tool may have left a part of it in the cache. A file of another
   * length is fetched again.
   *
   * @param file what to fetch
   * @return its path in the cache; do not write to it
   * @throws IOException as {@link #download} does
   */
  public Path refresh(RepoFile file) throws IOException {
    return fetcher.refresh(Objects.requireNonNull(file, "file"));
  }

  /**
   * Returns the path of a file that need not exist, after fetching it if need be.
   *
   * @param file what to fetch
   * @return its path in the cache; empty if the repository has no such file, or if this client is
   *     offline and the cache has none
   * @throws IOException as {@link #download} does for any other reason
   */
  public Optional<Path> downloadIfPresent(RepoFile file) throws IOException {
    try {
      return Optional.of(download(file));
    } catch (EntryNotFoundException | NotCachedException e) {
      LOG.debug("Optional file {} is left out: {}", file, e.getMessage());
      return Optional.empty();
    }
  }

  /**
   * Finds a file in the cache, without any request.
   *
   * @param file what to find; a branch or tag means the commit that it named when last seen
   * @return its path, or empty if the cache lacks it or knows that the repository has no such file
   */
  public Optional<Path> findCached(RepoFile file) {
    RepoCache cache = fetcher.cache(Objects.requireNonNull(file, "file"));
    return cache.isKnownAbsent(file) ? Optional.empty() : cache.find(file);
  }

  /**
   * Opens a file for reading parts of it, without storing it.
   *
   * @param file what to open
   * @return the file, with its commit and length
   * @throws IOException as {@link #download} does, but the cache is not looked at
   */
  public RemoteFile open(RepoFile file) throws IOException {
    return new RemoteFile(fetcher.open(Objects.requireNonNull(file, "file")), settings);
  }

  /**
   * Tells which commit a path of the cache belongs to, so that other files of the same commit can
   * be asked for.
   *
   * @param file what was asked for
   * @param path what {@link #download} or {@link #findCached} returned for it
   * @return the file at its commit instead of a branch or tag
   * @throws IllegalArgumentException if the path is not one of this file in this cache
   */
  public RepoFile pinned(RepoFile file, Path path) {
    return new RepoFile(file.repoId(), fetcher.cache(file).commitOf(path, file), file.filename());
  }

  /**
   * Returns the folder that holds the cache.
   *
   * @return an absolute path, which need not exist yet
   */
  public Path cacheDir() {
    return settings.cacheDir();
  }

  /**
   * Tells whether this client answers from the cache alone.
   *
   * @return true if it sends no request
   */
  public boolean isOffline() {
    return settings.offline();
  }

  /**
   * Returns where this client reads and writes.
   *
   * @return for people to read; without the token
   */
  @Override
  public String toString() {
    return "HubClient[endpoint="
        + settings.endpoint()
        + ", cacheDir="
        + settings.cacheDir()
        + (settings.offline() ? ", offline]" : "]");
  }
}
