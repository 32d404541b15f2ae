package io.matryoshka.sae.hub;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How files are fetched from the Hub. What is not set comes from the environment when a client is
 * made. Immutable; each method returns a changed copy.
 *
 * <pre>{@code
 * HubClient hub = HubClient.of(HubOptions.fromEnvironment().offline(true));
 * }</pre>
 */
public final class HubOptions {
  private static final int DEFAULT_CONNECTIONS = 4;
  private static final long DEFAULT_CHUNK_BYTES = 16L << 20;
  private static final int MAX_DELAY_FACTOR = 8;

  private final Values values;

  private HubOptions(Values values) {
    this.values = values;
  }

  /**
   * Returns options that leave everything to the environment variables of this process.
   *
   * @return the options
   */
  public static HubOptions fromEnvironment() {
    return fromEnvironment(System.getenv());
  }

  /**
   * Returns options that leave everything to the given variables instead of those of this process.
   *
   * @param environment names and values as in the environment of a process
   * @return the options
   */
  public static HubOptions fromEnvironment(Map<String, String> environment) {
    return new HubOptions(new Values(environment));
  }

  /**
   * Sets the branch, tag or commit that is meant where a file names none.
   *
   * @param revision such as {@code main}
   * @return changed options
   */
  public HubOptions revision(String revision) {
    Objects.requireNonNull(revision, "revision");
    return with(v -> v.revision = Optional.of(revision));
  }

  /**
   * Sets the server, {@code HF_ENDPOINT} otherwise.
   *
   * @param endpoint an http or https address
   * @return changed options
   * @throws IllegalArgumentException if it is not such an address
   */
  public HubOptions endpoint(URI endpoint) {
    Objects.requireNonNull(endpoint, "endpoint");
    URI checked = HubEnvironment.parseEndpoint(endpoint.toString());
    return with(v -> v.endpoint = Optional.of(checked));
  }

  /**
   * Sets the cache folder, {@code HF_HUB_CACHE} or {@code HF_HOME/hub} otherwise.
   *
   * @param cacheDir a folder, made when it is first needed
   * @return changed options
   */
  public HubOptions cacheDir(Path cacheDir) {
    Objects.requireNonNull(cacheDir, "cacheDir");
    Path absolute = cacheDir.toAbsolutePath();
    return with(v -> v.cacheDir = Optional.of(absolute));
  }

  /**
   * Sets the access token, {@code HF_TOKEN} or the token file otherwise.
   *
   * @param token the token
   * @return changed options
   * @throws IllegalArgumentException if it holds characters that no token has
   */
  public HubOptions token(String token) {
    Objects.requireNonNull(token, "token");
    Optional<Token> parsed = Token.parse(token, "the caller");
    return with(
        v -> {
          v.token = parsed;
          v.tokenFromEnvironment = false;
        });
  }

  /**
   * Sends no token, whatever the environment has.
   *
   * @return changed options
   */
  public HubOptions withoutToken() {
    return with(
        v -> {
          v.token = Optional.empty();
          v.tokenFromEnvironment = false;
        });
  }

  /**
   * Sets whether to answer from the cache alone, {@code HF_HUB_OFFLINE} otherwise.
   *
   * @param offline true to send no request
   * @return changed options
   */
  public HubOptions offline(boolean offline) {
    return with(v -> v.offline = Optional.of(offline));
  }

  /**
   * Sets whether to fetch files although they are cached.
   *
   * @param forceDownload true to replace what is cached
   * @return changed options
   */
  public HubOptions forceDownload(boolean forceDownload) {
    return with(v -> v.forceDownload = forceDownload);
  }

  /**
   * Sets who is told how downloads advance.
   *
   * @param listener the listener
   * @return changed options
   */
  public HubOptions progress(ProgressListener listener) {
    Objects.requireNonNull(listener, "listener");
    return with(v -> v.progress = listener);
  }

  /**
   * Sets how long to wait for the first answer about a file, {@code HF_HUB_ETAG_TIMEOUT} otherwise.
   *
   * @param timeout more than zero
   * @return changed options
   * @throws IllegalArgumentException if it is not more than zero
   */
  public HubOptions metadataTimeout(Duration timeout) {
    requirePositive("metadataTimeout", timeout);
    return with(v -> v.metadataTimeout = Optional.of(timeout));
  }

  /**
   * Sets how long a transfer may stand still, {@code HF_HUB_DOWNLOAD_TIMEOUT} otherwise. It does
   * not limit the whole transfer.
   *
   * @param timeout more than zero
   * @return changed options
   * @throws IllegalArgumentException if it is not more than zero
   */
  public HubOptions downloadTimeout(Duration timeout) {
    requirePositive("downloadTimeout", timeout);
    return with(v -> v.downloadTimeout = Optional.of(timeout));
  }

  /**
   * Sets how often a request is repeated when it fails for a reason that may pass, 5 times
   * otherwise. Bytes that arrive start the count again.
   *
   * @param maxRetries 0 or more
   * @param firstDelay the wait before the first repetition, 1 second otherwise; it doubles up to
   *     eightfold. A wait that the server asks for takes precedence
   * @return changed options
   * @throws IllegalArgumentException if one is negative
   */
  public HubOptions retries(int maxRetries, Duration firstDelay) {
    if (maxRetries < 0 || firstDelay.isNegative()) {
      throw new IllegalArgumentException(
          "retries: expected 0 or more and no negative delay, got "
              + maxRetries
              + " and "
              + firstDelay);
    }
    return with(
        v ->
            v.retries =
                new RetryPolicy(
                    maxRetries,
                    firstDelay,
                    firstDelay.multipliedBy(MAX_DELAY_FACTOR),
                    v.retries.maxRetryAfter()));
  }

  /**
   * Sets over how many connections a large file is fetched at most, 4 otherwise.
   *
   * @param maxConnections 1 or more; 1 means one stream
   * @return changed options
   * @throws IllegalArgumentException if it is less than 1
   */
  public HubOptions connections(int maxConnections) {
    if (maxConnections < 1) {
      throw new IllegalArgumentException("connections: expected 1 or more, got " + maxConnections);
    }
    return with(v -> v.connections = maxConnections);
  }

  /** Sets the length of the ranges of a parallel download; for tests. */
  HubOptions chunkBytes(long bytes) {
    return with(v -> v.chunkBytes = bytes);
  }

  /**
   * Returns the branch, tag or commit that was set.
   *
   * @return the revision, empty if none was set
   */
  public Optional<String> revision() {
    return values.revision;
  }

  /**
   * Returns whether files are fetched although they are cached.
   *
   * @return true to replace what is cached
   */
  public boolean forceDownload() {
    return values.forceDownload;
  }

  /**
   * Returns the cache folder that a client would use.
   *
   * @return an absolute path, which need not exist yet
   * @throws IllegalArgumentException if a variable of the environment cannot be used
   */
  public Path cacheDir() {
    return values.cacheDir.orElseGet(() -> new HubEnvironment(values.environment).cacheDir());
  }

  /** Fills in from the environment what was not set. */
  HubSettings settings() {
    HubEnvironment environment = new HubEnvironment(values.environment);
    return new HubSettings(
        values.endpoint.orElseGet(() -> HubEnvironment.parseEndpoint(environment.endpoint())),
        cacheDir(),
        values.tokenFromEnvironment ? environment.token() : values.token,
        values.offline.orElseGet(environment::offline),
        values.forceDownload,
        environment.symlinks(),
        values.metadataTimeout.orElseGet(environment::metadataTimeout),
        values.downloadTimeout.orElseGet(environment::downloadTimeout),
        values.retries,
        values.connections,
        values.chunkBytes,
        values.progress,
        environment.proxies(),
        environment.certificates());
  }

  private HubOptions with(Consumer<Values> change) {
    Values changed = new Values(values);
    change.accept(changed);
    return new HubOptions(changed);
  }

  private static void requirePositive(String what, Duration timeout) {
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException(what + ": expected more than zero, got " + timeout);
    }
  }

  /** The fields, never changed once an instance of {@link HubOptions} holds them. */
  private static final class Values {
    private final Map<String, String> environment;
    private Optional<String> revision = Optional.empty();
    private Optional<URI> endpoint = Optional.empty();
    private Optional<Path> cacheDir = Optional.empty();
    private Optional<Token> token = Optional.empty();
    private boolean tokenFromEnvironment = true;
    private Optional<Boolean> offline = Optional.empty();
    private boolean forceDownload;
    private Optional<Duration> metadataTimeout = Optional.empty();
    private Optional<Duration> downloadTimeout = Optional.empty();
    private RetryPolicy retries = RetryPolicy.DEFAULT;
    private int connections = DEFAULT_CONNECTIONS;
    private long chunkBytes = DEFAULT_CHUNK_BYTES;
    private ProgressListener progress = ProgressListener.none();

    Values(Map<String, String> environment) {
      this.environment = Map.copyOf(environment);
    }

    Values(Values o) {
      environment = o.environment;
      revision = o.revision;
      endpoint = o.endpoint;
      cacheDir = o.cacheDir;
      token = o.token;
      tokenFromEnvironment = o.tokenFromEnvironment;
      offline = o.offline;
      forceDownload = o.forceDownload;
      metadataTimeout = o.metadataTimeout;
      downloadTimeout = o.downloadTimeout;
      retries = o.retries;
      connections = o.connections;
      chunkBytes = o.chunkBytes;
      progress = o.progress;
    }
  }
}
