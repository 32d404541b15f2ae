package io.matryoshka.sae.internal.spark.job;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.broadcast.Broadcast;

/**
 * Writes the activations of one file: to the disk of the host, and from there to the folder. Every
 * attempt writes the same bytes, so it does no harm if several do.
 */
public final class ExportTask implements VoidFunction<TextShard> {

  private static final long serialVersionUID = 1;

  private final Broadcast<ExportInput> input;

  ExportTask(Broadcast<ExportInput> input) {
    this.input = input;
  }

  @Override
  public void call(TextShard shard) throws Exception {
    Tasks.run(
        () -> {
          Path local = Files.createTempDirectory("matryoshka-sae-activations");
          Path file = local.resolve(shard.fileName());
          try {
            input.value().export().toFile(shard.texts(), file);
            input.value().store().upload(file, shard.fileName());
          } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(local);
          }
          return null;
        });
  }
}
