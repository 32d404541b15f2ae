package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.internal.spark.host.Selections;
import io.matryoshka.sae.internal.spark.store.StoreFolder;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodePlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.broadcast.Broadcast;

/**
 * Encodes one file of a run: to the disk of the host, since its header is written last, and from
 * there to the folder of the run. Every attempt writes the same bytes, so it does no harm if
 * several do.
 */
public final class EncodeTask implements VoidFunction<Integer> {

  private static final long serialVersionUID = 1;

  private final Broadcast<JobInput> input;
  private final String folder;
  private final String selection;
  private final int batchRows;
  private final int rowsPerShard;

  EncodeTask(Broadcast<JobInput> input, String folder, EncodeOptions options) {
    this.input = input;
    this.folder = folder;
    this.selection = Selections.write(options.selection());
    this.batchRows = options.batchRows();
    this.rowsPerShard = options.rowsPerShard();
  }

  @Override
  public void call(Integer shard) throws Exception {
    Tasks.run(
        () -> {
          JobInput job = input.value();
          EncodePlan plan = EncodePlan.of(job.sae(), job.source(), options());
          Path local = Files.createTempDirectory("matryoshka-sae-encode");
          Path file = local.resolve(plan.fileName(shard));
          try {
            plan.encode(shard, local);
            store().upload(file, plan.fileName(shard));
          } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(local);
          }
          return null;
        });
  }

  private StoreFolder store() throws IOException {
    return StoreFolder.of(new org.apache.hadoop.fs.Path(folder), input.value().hadoop());
  }

  private EncodeOptions options() throws IOException {
    EncodeOptions options =
        EncodeOptions.defaults()
            .batchRows(batchRows)
            .rowsPerShard(rowsPerShard)
            .rows(input.value().rows())
            .progress((done, rows) -> Tasks.stopIfKilled());
    return Selections.parse(selection).map(options::selection).orElse(options);
  }
}
