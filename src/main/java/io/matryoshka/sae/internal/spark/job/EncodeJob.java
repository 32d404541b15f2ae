package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.internal.spark.store.StoreFolder;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodePlan;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.EncodeRunException;
import io.matryoshka.sae.stream.EncodedShard;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * The driver's side of a run of encoding: looks which files are there, has the others written, and
 * then writes the index.
 */
public final class EncodeJob {

  /** Headers of an object store take their time in waiting, not in work. */
  private static final int HEADER_THREADS = 32;

  private final JavaSparkContext spark;
  private final EncodePlan plan;
  private final StoreFolder store;

  EncodeJob(JavaSparkContext spark, EncodePlan plan, StoreFolder store) {
    this.spark = spark;
    this.plan = plan;
    this.store = store;
  }

  EncodeResult run(JobInput input, String folder, EncodeOptions options) throws IOException {
    long start = System.nanoTime();
    plan.checkpoint(); // Reads the activations once before the folder is touched.
    store.create();
    List<Integer> missing = new ArrayList<>();
    long resumedRows = 0;
    List<Optional<EncodedShard>> before = plan.resumes(store) ? finished() : List.of();
    for (int shard = 0; shard < plan.shards(); shard++) {
      if (before.isEmpty() || before.get(shard).isEmpty()) {
        missing.add(shard);
      } else {
        resumedRows += plan.firstRow(shard + 1) - plan.firstRow(shard);
      }
    }
    if (before.isEmpty() || !missing.isEmpty()) {
      plan.markBegun(store);
    }
    encode(missing, input, folder, options);
    List<EncodedShard> all = all();
    plan.markFinished(store, all);
    store.removeHalves();
    return plan.result(all, resumedRows, Duration.ofNanos(System.nanoTime() - start));
  }

  private void encode(List<Integer> missing, JobInput input, String folder, EncodeOptions options)
      throws IOException {
    if (missing.isEmpty()) {
      return;
    }
    Broadcast<JobInput> broadcast = spark.broadcast(input);
    try {
      JobGuard.run(
          spark,
          "encode",
          () -> {
            spark
                .parallelize(missing, missing.size())
                .foreach(new EncodeTask(broadcast, folder, options));
            return null;
          });
    } finally {
      broadcast.destroy();
    }
  }

  private List<EncodedShard> all() throws IOException {
    List<EncodedShard> all = new ArrayList<>();
    for (Optional<EncodedShard> shard : finished()) {
      all.add(
          shard.orElseThrow(
              () ->
                  new EncodeRunException(
                      store.nameOf(plan.fileName(all.size()))
                          + ": was changed or deleted by others while the run went on; run the same"
                          + " again to write it again")));
    }
    return all;
  }

  /** Reads the header of every file; empty for one that is missing or damaged. */
  private List<Optional<EncodedShard>> finished() throws IOException {
    ExecutorService threads = Executors.newFixedThreadPool(HEADER_THREADS);
    try {
      List<Callable<Optional<EncodedShard>>> reads = new ArrayList<>();
      for (int i = 0; i < plan.shards(); i++) {
        int shard = i;
        reads.add(() -> plan.finished(shard, store.file(plan.fileName(shard))));
      }
      List<Optional<EncodedShard>> found = new ArrayList<>();
      for (Future<Optional<EncodedShard>> read : threads.invokeAll(reads)) {
        found.add(read.get());
      }
      return found;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the files of the run were read", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
    } finally {
      threads.shutdownNow();
    }
  }
}
