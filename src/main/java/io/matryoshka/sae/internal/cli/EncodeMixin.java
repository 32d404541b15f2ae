package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.RowRules;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options that say how activations are encoded and cut into files. */
final class EncodeMixin {

  @ArgGroup private SelectionGroup selection;

  @Option(
      names = "--batch",
      paramLabel = "ROWS",
      defaultValue = "1024",
      description = "Rows encoded together; default: ${DEFAULT-VALUE}.")
  private int batchRows;

  @Option(
      names = "--rows-per-shard",
      paramLabel = "ROWS",
      defaultValue = "65536",
      description = "Rows in each file of a folder; default: ${DEFAULT-VALUE}.")
  private int rowsPerShard;

  @Option(
      names = "--restart",
      description = "Delete the files of an earlier run in the folder instead of resuming it.")
  private boolean restart;

  boolean isRestart() {
    return restart;
  }

  EncodeOptions options(RowRules rows) {
    EncodeOptions options =
        EncodeOptions.defaults()
            .batchRows(batchRows)
            .rowsPerShard(rowsPerShard)
            .restart(restart)
            .rows(rows);
    return selection == null ? options : options.selection(selection.selection());
  }
}
