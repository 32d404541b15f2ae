package io.matryoshka.sae.hub;

import io.matryoshka.sae.internal.io.ProcessLock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides between cache and network, and stores what comes over the network. */
final class FileFetcher {
  private static final Logger LOG = LoggerFactory.getLogger(FileFetcher.class);

  private final HubSettings settings;
  private final HttpGateway http;
  private final MetadataReader metadataReader;

  FileFetcher(HubSettings settings) {
    this.settings = settings;
    this.http = new HttpGateway(settings);
    this.metadataReader = new MetadataReader(http, settings);
  }

  RepoCache cache(RepoFile file) {
    return new RepoCache(settings.cacheDir(), file.repoId());
  }

  /**
   * Returns the path of a file in the cache, after fetching it if need be. The network is asked
   * first; the cache stands in when that fails for a reason that may pass.
   */
  Path fetch(RepoFile file) throws IOException {
    RepoCache cache = cache(file);
    if (file.isPinned() || settings.offline()) {
      Optional<Path> cached = cached(cache, file);
      if (cached.isPresent()) {
        cache.clearDeadPart(cached.get());
        return cached.get();
      }
    }
    requireOnline(file, cache);
    return fetchOnline(file, cache);
  }

  /**
   * Returns the path of a file in the cache, after comparing its length with what the Hub says even
   * if its revision is a commit, and fetching it again if they differ. Where the Hub cannot be
   * asked, the cache stands in.
   */
  Path refresh(RepoFile file) throws IOException {
    return settings.offline() ? fetch(file) : fetchOnline(file, cache(file));
  }

  private Path fetchOnline(RepoFile file, RepoCache cache) throws IOException {
    try {
      FileMetadata metadata;
      try {
        metadata = metadataReader.read(file);
      } catch (RevisionNotFoundException e) {
        throw e;
      } catch (HubException e) {
        if (e instanceof EntryNotFoundException missing && missing.isCertain()) {
          throw e;
        }
        Optional<Path> cached = cached(cache, file);
        if (cached.isPresent()) {
          LOG.warn(
              "Using the cached {}, as the Hub cannot be asked: {}", cached.get(), e.getMessage());
          return cached.get();
        }
        metadata = insist(file, cache, e);
      }
      return store(file, cache, metadata);
    } catch (EntryNotFoundException e) {
      e.commit().ifPresent(commit -> cache.markAbsent(file, commit));
      throw e;
    }
  }

  /** Prepares to read ranges of a file. */
  RemoteSource open(RepoFile file) throws IOException {
    requireOnline(file, cache(file));
    FileMetadata metadata;
    try {
      metadata = metadataReader.read(file);
    } catch (HubUnavailableException | RateLimitedException e) {
      metadata = metadataReader.readPatiently(file, e);
    }
    return new RemoteSource(file, metadata, http, metadataReader, settings, true);
  }

  private Optional<Path> cached(RepoCache cache, RepoFile file) {
    return settings.forceDownload() ? Optional.empty() : cache.find(file);
  }

  private void requireOnline(RepoFile file, RepoCache cache) throws HubException {
    if (settings.offline()) {
      if (cache.isKnownAbsent(file)) {
        throw knownAbsent(file);
      }
      throw new NotCachedException(
          "Download "
              + file
              + ": the client is offline and the cache "
              + settings.cacheDir()
              + (settings.forceDownload() ? " must not be used (forced download)" : " lacks it")
              + "; unset HF_HUB_OFFLINE or download it first");
    }
  }

  private FileMetadata insist(RepoFile file, RepoCache cache, HubException failure)
      throws IOException {
    if (cache.isKnownAbsent(file)) {
      throw knownAbsent(file);
    }
    if (failure instanceof HubUnavailableException || failure instanceof RateLimitedException) {
      return metadataReader.readPatiently(file, failure);
    }
    throw failure;
  }

  private static EntryNotFoundException knownAbsent(RepoFile file) {
    return new EntryNotFoundException(
        "Download "
            + file
            + ": the repository had no such file when the Hub was last asked; check the file name",
        Optional.empty());
  }

  private Path store(RepoFile file, RepoCache cache, FileMetadata metadata) throws IOException {
    Path snapshot = cache.snapshot(metadata.commit(), file.filename());
    boolean force = settings.forceDownload();
    if (!force && RepoCache.isComplete(snapshot, metadata.size())) {
      cache.writeRef(file.revision(), metadata.commit());
      cache.clearDeadPart(snapshot);
      return snapshot;
    }
    cache.prepare(snapshot);
    cache.writeRef(file.revision(), metadata.commit());
    try (ProcessLock lock = ProcessLock.acquire(cache.lock(metadata.etag()))) {
      if (!force && RepoCache.isComplete(snapshot, metadata.size())) {
        return snapshot; // Another thread or process was faster.
      }
      Path blob = cache.blob(metadata.etag());
      boolean missing = force || !RepoCache.isComplete(blob, metadata.size());
      if (missing) {
        RemoteSource source =
            new RemoteSource(file, metadata, http, metadataReader, settings, false);
        new BlobDownload(source, settings, blob).run(lock.excludesProcesses());
      } else {
        PartFile.discardDead(blob);
      }
      cache.publish(blob, snapshot, missing, settings.symlinks());
    }
    return snapshot;
  }
}
