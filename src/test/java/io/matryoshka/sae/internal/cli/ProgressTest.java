package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.hub.DownloadProgress;
import io.matryoshka.sae.hub.DownloadProgress.Phase;
import io.matryoshka.sae.hub.RepoFile;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {

  private final StringBuffer shown = new StringBuffer();
  private final AtomicLong nanos = new AtomicLong();

  private void waitSeconds(double seconds) {
    nanos.addAndGet((long) (1e9 * seconds));
  }

  @Test
  void progress_shortTask_showsNothing() {
    try (Progress progress =
        new Progress(shown::append, "encode", new Progress.Unit("tokens", 1), 10, nanos::get)) {
      waitSeconds(0.9);
      progress.stepTo(10);
    }
    assertThat(shown).isEmpty();
  }

  @Test
  void progress_longTask_showsPartRateAndClearsItsLine() {
    try (Progress progress =
        new Progress(shown::append, "encode", new Progress.Unit("tokens", 1), 200, nanos::get)) {
      progress.stepTo(0);
      waitSeconds(1.1);
      progress.stepTo(50);
    }
    assertThat(shown.toString()).contains("encode", "25%", "50/200", "tokens/s");
    assertThat(shown.toString()).endsWith(" \r");
  }

  @Test
  void downloads_showMegabytes_untilFinished() {
    DownloadBars bars = new DownloadBars(shown::append, nanos::get);
    RepoFile file = RepoFile.of("owner/repo", "a/b/sae_weights.safetensors");
    OptionalLong total = OptionalLong.of(600_000_000);
    bars.onProgress(new DownloadProgress(file, Phase.STARTED, 0, total));
    waitSeconds(1.1);
    bars.onProgress(new DownloadProgress(file, Phase.RUNNING, 150_000_000, total));
    bars.onProgress(new DownloadProgress(file, Phase.FINISHED, 600_000_000, total));
    assertThat(shown.toString()).contains("b/sae_weights", "25%", "150/600", "MB/s");
    assertThat(shown.toString()).endsWith(" \r");
  }
}
