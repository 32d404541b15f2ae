package io.matryoshka.sae.hub;

/**
 * Is told how downloads advance.
 *
 * <p>Each file that is really fetched gives one {@link DownloadProgress.Phase#STARTED}, then {@link
 * DownloadProgress.Phase#RUNNING} at most ten times a second, and last either {@link
 * DownloadProgress.Phase#FINISHED}, when the file is verified and in the cache, or {@link
 * DownloadProgress.Phase#FAILED}. A file found in the cache gives none. Many ranges of one file
 * that are read by one call ({@link RemoteFile#read(java.util.List, int, RangeConsumer)}) count as
 * one download.
 *
 * <p>Calls about one download never overlap; calls about different downloads may come at the same
 * time from different threads. The download waits for the listener, so it should return soon. A
 * listener that throws is logged and does not stop the download; to stop it, interrupt the thread
 * that asked for it.
 */
@FunctionalInterface
public interface ProgressListener {
  /**
   * Takes note of the state of one download.
   *
   * @param progress the state
   */
  void onProgress(DownloadProgress progress);

  /**
   * Returns a listener that ignores everything.
   *
   * @return the listener
   */
  static ProgressListener none() {
    return progress -> {};
  }
}
