package io.matryoshka.sae.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
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
 * the one of the JVM ({@code https.proxyHost} and its kin).
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
    return builder().build();
  }

  /**
   * Starts from the environment variables of this process.
   *
   * @return a builder
   * @throws IllegalArgumentException if a variable has a value that cannot be used
   */
  public static Builder builder() {
    return builder(System.getenv());
  }

  /**
   * Starts from the given variables instead of those of this process.
   *
   * @param environment names and values as in the environment of the process
   * @return a builder
   * @throws IllegalArgumentException if a variable has a value that cannot be used
   */
  public static Builder builder(Map<String, String> environment) {
    return new Builder(new HubEnvironment(environment));
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

  /** Collects what a client is to be built with; what is not set comes from the environment. */
  public static final class Builder {
    private static final int DEFAULT_CONNECTIONS = 4;
    private static final long DEFAULT_CHUNK_BYTES = 16L << 20;

    private final HubEnvironment environment;
    private URI endpoint;
    private Path cacheDir;
    private Optional<Token> token = Optional.empty();
    private boolean tokenFromEnvironment = true;
    private boolean offline;
    private boolean forceDownload;
    private boolean symlinks;
    private Duration metadataTimeout;
    private Duration downloadTimeout;
    private RetryPolicy retries = RetryPolicy.DEFAULT;
    private int connections = DEFAULT_CONNECTIONS;
    private long chunkBytes = DEFAULT_CHUNK_BYTES;
    private ProgressListener progress = ProgressListener.none();

    private Builder(HubEnvironment environment) {
      this.environment = environment;
      this.endpoint = HubEnvironment.parseEndpoint(environment.endpoint());
      this.cacheDir = environment.cacheDir();
      this.offline = environment.offline();
      this.symlinks = environment.symlinks();
      this.metadataTimeout = environment.metadataTimeout();
      this.downloadTimeout = environment.downloadTimeout();
    }

    /**
     * Sets the server, {@code HF_ENDPOINT} otherwise.
     *
     * @param newEndpoint an http or https address
     * @return this builder
     * @throws IllegalArgumentException if it is not such an address
     */
    public Builder endpoint(URI newEndpoint) {
      this.endpoint = HubEnvironment.parseEndpoint(newEndpoint.toString());
      return this;
    }

    /**
     * Sets the cache folder, {@code HF_HUB_CACHE} or {@code HF_HOME/hub} otherwise.
     *
     * @param newCacheDir a folder, made when it is first needed
     * @return this builder
     */
    public Builder cacheDir(Path newCacheDir) {
      this.cacheDir = newCacheDir.toAbsolutePath();
      return this;
    }

    /**
     * Sets the access token, {@code HF_TOKEN} or the token file otherwise.
     *
     * @param newToken the token
     * @return this builder
     * @throws IllegalArgumentException if it holds characters that no token has
     */
    public Builder token(String newToken) {
      this.token = Token.parse(newToken, "the caller");
      this.tokenFromEnvironment = false;
      return this;
    }

    /**
     * Sends no token, whatever the environment has.
     *
     * @return this builder
     */
    public Builder withoutToken() {
      this.token = Optional.empty();
      this.tokenFromEnvironment = false;
      return this;
    }

    /**
     * Sets whether to answer from the cache alone, {@code HF_HUB_OFFLINE} otherwise.
     *
     * @param newOffline true to send no request
     * @return this builder
     */
    public Builder offline(boolean newOffline) {
      this.offline = newOffline;
      return this;
    }

    /**
     * Sets whether to fetch files although they are cached.
     *
     * @param newForceDownload true to replace what is cached
     * @return this builder
     */
    public Builder forceDownload(boolean newForceDownload) {
      this.forceDownload = newForceDownload;
      return this;
    }

    /**
     * Sets who is told how downloads advance.
     *
     * @param listener the listener
     * @return this builder
     */
    public Builder progress(ProgressListener listener) {
      this.progress = Objects.requireNonNull(listener, "listener");
      return this;
    }

    /**
     * Sets how long to wait for the first answer about a file, {@code HF_HUB_ETAG_TIMEOUT}
     * otherwise.
     *
     * @param timeout more than zero
     * @return this builder
     */
    public Builder metadataTimeout(Duration timeout) {
      this.metadataTimeout = requirePositive("metadataTimeout", timeout);
      return this;
    }

    /**
     * Sets how long a transfer may stand still, {@code HF_HUB_DOWNLOAD_TIMEOUT} otherwise. It does
     * not limit the whole transfer.
     *
     * @param timeout more than zero
     * @return this builder
     */
    public Builder downloadTimeout(Duration timeout) {
      this.downloadTimeout = requirePositive("downloadTimeout", timeout);
      return this;
    }

    /**
     * Sets how often a request is repeated when it fails for a reason that may pass, 5 times
     * otherwise. Bytes that arrive start the count again.
     *
     * @param maxRetries 0 or more
     * @param firstDelay the wait before the first repetition, 1 second otherwise; it doubles up to
     *     eightfold. A wait that the server asks for goes before
     * @return this builder
     * @throws IllegalArgumentException if one is negative
     */
    public Builder retries(int maxRetries, Duration firstDelay) {
      if (maxRetries < 0 || firstDelay.isNegative()) {
        throw new IllegalArgumentException(
            "retries: expected 0 or more and no negative delay, got "
                + maxRetries
                + " and "
                + firstDelay);
      }
      this.retries =
          new RetryPolicy(
              maxRetries, firstDelay, firstDelay.multipliedBy(8), retries.maxRetryAfter());
      return this;
    }

    /**
     * Sets over how many connections a large file is fetched at most, 4 otherwise.
     *
     * @param maxConnections 1 or more; 1 means one stream
     * @return this builder
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder connections(int maxConnections) {
      if (maxConnections < 1) {
        throw new IllegalArgumentException(
            "connections: expected 1 or more, got " + maxConnections);
      }
      this.connections = maxConnections;
      return this;
    }

    /** Sets the length of the ranges of a parallel download; for tests. */
    Builder chunkBytes(long bytes) {
      this.chunkBytes = bytes;
      return this;
    }

    /**
     * Builds the client. Reads the token file if no token was set.
     *
     * @return the client
     * @throws IllegalArgumentException if the token of the environment cannot be one
     */
    public HubClient build() {
      return new HubClient(
          new HubSettings(
              endpoint,
              cacheDir,
              tokenFromEnvironment ? environment.token() : token,
              offline,
              forceDownload,
              symlinks,
              metadataTimeout,
              downloadTimeout,
              retries,
              connections,
              chunkBytes,
              progress));
    }

    private static Duration requirePositive(String what, Duration timeout) {
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException(what + ": expected more than zero, got " + timeout);
      }
      return timeout;
    }
  }
}
