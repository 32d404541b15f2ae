package io.matryoshka.sae.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fetches one blob: transfers it into a part file, checks it, and only then gives it its name. */
final class BlobDownload {
  private static final Logger LOG = LoggerFactory.getLogger(BlobDownload.class);
  private static final int CHUNKS_WORTH_PARALLEL = 4;

  private final RemoteSource source;
  private final HubSettings settings;
  private final Path blob;
  private final ContentHash hash;
  private final ProgressReporter progress;

  BlobDownload(RemoteSource source, HubSettings settings, Path blob) {
    this.source = source;
    this.settings = settings;
    this.blob = blob;
    this.hash = ContentHash.of(source.metadata().etag());
    this.progress =
        new ProgressReporter(settings.progress(), source.file(), source.metadata().size());
  }

  /**
   * Fetches the blob.
   *
   * @param exclusive the blob's lock is held, so that what an earlier process has left may be used
   */
  void run(boolean exclusive) throws IOException {
    try (PartFile part = PartFile.open(blob, exclusive && hash.isVerifiable())) {
      boolean success = false;
      long resumed = part.resume();
      progress.start(resumed);
      try {
        if (resumed == 0 || !isWholeAfterResuming(part, resumed)) {
          fill(part, 0);
        }
        part.moveTo(blob);
        success = true;
      } catch (IntegrityException | CacheWriteException e) {
        part.discard();
        throw e;
      } finally {
        progress.end(success);
      }
    }
  }

  private boolean isWholeAfterResuming(PartFile part, long resumed) throws IOException {
    LOG.debug("Resuming {} at byte {}", source.file(), resumed);
    try {
      fill(part, resumed);
      return true;
    } catch (IntegrityException e) {
      LOG.warn(
          "What an earlier download of {} has left does not belong to the file; starting over",
          source.file());
      part.truncate();
      progress.reset();
      return false;
    }
  }

  private void fill(PartFile part, long from) throws IOException {
    OptionalLong size = source.metadata().size();
    if (size.isPresent() && from > size.getAsLong()) {
      throw new IntegrityException("Resume " + source.file() + ": more bytes than the file has");
    }
    requireSpace(size.orElse(0) - from);
    try (PartSink sink = new PartSink(part, hash, progress)) {
      sink.advance(from);
      long end = transfer(sink, from, size);
      verify(sink.hash(hash), end);
    }
  }

  private long transfer(PartSink sink, long from, OptionalLong size) throws IOException {
    long chunk = settings.chunkBytes();
    boolean parallel =
        settings.connections() > 1
            && size.isPresent()
            && size.getAsLong() - from >= CHUNKS_WORTH_PARALLEL * chunk;
    if (!parallel) {
      return range(sink, from, size);
    }
    // The first chunk shows whether the server serves ranges; if not, it brings the whole file.
    long position = range(sink, from, OptionalLong.of(from + chunk));
    if (position < size.getAsLong()) {
      try {
        new ParallelTransfer(source, settings, sink, position, size.getAsLong()).run();
      } catch (RangesUnsupportedException e) {
        LOG.warn("{}; going on with one connection", e.getMessage());
        sink.enterOrder();
        return range(sink, 0, size);
      }
    }
    return size.getAsLong();
  }

  private long range(PartSink sink, long from, OptionalLong to) throws IOException {
    return new RangeTransfer(source, settings.retries(), sink, from, to, true).run();
  }

  private void verify(String actual, long length) throws IntegrityException {
    FileMetadata metadata = source.metadata();
    if (metadata.size().isPresent() && metadata.size().getAsLong() != length) {
      throw new IntegrityException(
          "Download "
              + source.file()
              + ": expected "
              + metadata.size().getAsLong()
              + " bytes, got "
              + length);
    }
    if (hash.isVerifiable() && !actual.equals(metadata.etag())) {
      throw new IntegrityException(
          "Download "
              + source.file()
              + ": expected content with hash "
              + metadata.etag()
              + ", got "
              + actual
              + " ("
              + length
              + " bytes); nothing was kept. Try again; if it happens again, check the proxy");
    }
  }

  private void requireSpace(long bytes) throws IOException {
    long free;
    try {
      free = Files.getFileStore(blob.getParent()).getUsableSpace();
    } catch (IOException e) {
      LOG.debug("Free space of {} is unknown", blob.getParent(), e);
      return;
    }
    if (free < bytes) {
      throw new CacheWriteException(
          "Download "
              + source.file()
              + ": needs "
              + bytes
              + " bytes in "
              + blob.getParent()
              + ", which has "
              + free
              + " left; free some space or choose another cache folder (HF_HUB_CACHE)");
    }
  }
}
