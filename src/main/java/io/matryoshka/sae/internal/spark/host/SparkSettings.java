package io.matryoshka.sae.internal.spark.host;

/** Settings of Spark that decide whether encoding uses a host well. */
public final class SparkSettings {

  /** Cores of an executor. */
  public static final String EXECUTOR_CORES = "spark.executor.cores";

  /** Threads that an executor encodes with. */
  public static final String OMP_NUM_THREADS = "spark.executorEnv.OMP_NUM_THREADS";

  /** Memory of an executor beside its heap. */
  public static final String MEMORY_OVERHEAD = "spark.executor.memoryOverhead";

  /** libtorch, its buffers, and the batches of some tasks, in MiB. */
  public static final long BASE_OVERHEAD_MIB = 2048;

  private SparkSettings() {}
}
