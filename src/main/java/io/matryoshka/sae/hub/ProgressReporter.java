package io.matryoshka.sae.hub;

import io.matryoshka.sae.hub.DownloadProgress.Phase;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Passes the state of one download to the listener: one call at a time, and not too many. */
final class ProgressReporter {
  private static final Logger LOG = LoggerFactory.getLogger(ProgressReporter.class);
  private static final long MIN_NANOS_BETWEEN_CALLS = 100_000_000;

  private final ProgressListener listener;
  private final RepoFile file;
  private final OptionalLong total;
  private long done;
  private long lastCall;

  ProgressReporter(ProgressListener listener, RepoFile file, OptionalLong total) {
    this.listener = listener;
    this.file = file;
    this.total = total;
  }

  synchronized void start(long alreadyDone) {
    done = alreadyDone;
    call(Phase.STARTED);
  }

  synchronized void add(long bytes) {
    done += bytes;
    if (System.nanoTime() - lastCall >= MIN_NANOS_BETWEEN_CALLS) {
      call(Phase.RUNNING);
    }
  }

  /** Starts over, without a call. */
  synchronized void reset() {
    done = 0;
  }

  synchronized void end(boolean success) {
    call(success ? Phase.FINISHED : Phase.FAILED);
  }

  private void call(Phase phase) {
    try {
      listener.onProgress(new DownloadProgress(file, phase, done, total));
    } catch (RuntimeException e) {
      LOG.warn("The progress listener failed on {}", file, e);
    }
    lastCall = System.nanoTime();
  }
}
