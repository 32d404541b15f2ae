package io.matryoshka.sae.hub;

import java.util.Objects;
import java.util.OptionalLong;

/**
 * The state of one download.
 *
 * @param file what is fetched
 * @param phase where the download stands
 * @param bytesDone bytes on disk, those of an earlier, interrupted download included; may fall back
 *     when a server makes the client start over
 * @param totalBytes the length of the file, where the Hub tells it
 */
public record DownloadProgress(
    RepoFile file, Phase phase, long bytesDone, OptionalLong totalBytes) {
  /** Where a download stands. */
  public enum Phase {
    /** The transfer begins; {@code bytesDone} is what an interrupted one has left. */
    STARTED,
    /** Bytes are arriving. */
    RUNNING,
    /** The file is verified and in the cache. */
    FINISHED,
    /** The download has failed; the caller gets the exception. */
    FAILED
  }

  /**
   * Checks that nothing is {@code null}.
   *
   * @param file what is fetched
   * @param phase where the download stands
   * @param bytesDone bytes on disk, those of an earlier, interrupted download included; may fall
   *     back when a server makes the client start over
   * @param totalBytes the length of the file, where the Hub tells it
   */
  public DownloadProgress {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(phase, "phase");
    Objects.requireNonNull(totalBytes, "totalBytes");
  }
}
