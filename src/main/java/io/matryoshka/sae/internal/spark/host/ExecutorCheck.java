package io.matryoshka.sae.internal.spark.host;

import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.Optional;
import org.apache.spark.SparkEnv;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks whether this executor runs as {@code SaeSpark.configure} would have it. */
public final class ExecutorCheck {

  private static final Logger LOG = LoggerFactory.getLogger(ExecutorCheck.class);

  private ExecutorCheck() {}

  /** Warns of fewer threads than cores; all tasks of an executor share one pool of threads. */
  static void warnOfThreads() {
    SparkEnv env = SparkEnv.get();
    if (env == null || env.executorId().equals("driver")) {
      return;
    }
    int processors = Runtime.getRuntime().availableProcessors();
    int cores = Math.min(processors, env.conf().getInt(SparkSettings.EXECUTOR_CORES, processors));
    threadWarning(Workers.count(), cores).ifPresent(LOG::warn);
  }

  static Optional<String> threadWarning(int threads, int cores) {
    return threads >= cores
        ? Optional.empty()
        : Optional.of(
            ("encoding has %d thread%s for the %d cores of this executor, since Spark sets"
                    + " OMP_NUM_THREADS to spark.task.cpus; set %s=%d, or call"
                    + " SaeSpark.configure before Spark starts")
                .formatted(
                    threads, threads == 1 ? "" : "s", cores, SparkSettings.OMP_NUM_THREADS, cores));
  }
}
