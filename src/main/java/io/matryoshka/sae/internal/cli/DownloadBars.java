package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.hub.DownloadProgress;
import io.matryoshka.sae.hub.ProgressListener;
import io.matryoshka.sae.hub.RepoFile;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/** Shows a bar for each file that is fetched. */
final class DownloadBars implements ProgressListener {

  private static final long UNKNOWN = -1;

  private final Progress.Target target;
  private final LongSupplier nanos;
  private final Map<RepoFile, Progress> bars = new ConcurrentHashMap<>();

  DownloadBars(Progress.Target target) {
    this(target, System::nanoTime);
  }

  DownloadBars(Progress.Target target, LongSupplier nanos) {
    this.target = target;
    this.nanos = nanos;
  }

  @Override
  public void onProgress(DownloadProgress progress) {
    RepoFile file = progress.file();
    switch (progress.phase()) {
      case STARTED, RUNNING -> {
        long total = progress.totalBytes().orElse(UNKNOWN);
        Progress bar =
            bars.computeIfAbsent(
                file, f -> new Progress(target, name(f), Progress.MEGABYTES, total, nanos));
        bar.total(total);
        bar.stepTo(progress.bytesDone());
      }
      case FINISHED, FAILED -> {
        Progress bar = bars.remove(file);
        if (bar != null) {
          bar.close();
        }
      }
    }
  }

  /** The last two names of the path, which tell the SAE and its file. */
  private static String name(RepoFile file) {
    String[] names = file.filename().split("/");
    int from = Math.max(0, names.length - 2);
    return String.join("/", Arrays.copyOfRange(names, from, names.length));
  }
}
