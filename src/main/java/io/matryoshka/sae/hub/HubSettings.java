package io.matryoshka.sae.hub;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What a client was built with; immutable. */
record HubSettings(
    URI endpoint,
    Path cacheDir,
    Optional<Token> token,
    boolean offline,
    boolean forceDownload,
    boolean symlinks,
    Duration metadataTimeout,
    Duration downloadTimeout,
    RetryPolicy retries,
    int connections,
    long chunkBytes,
    ProgressListener progress,
    HubProxies proxies,
    List<Path> certificates) {}
