package io.matryoshka.sae.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.EncodeRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Turns model activations into sparse latents. */
@Command(
    name = "encode",
    description = {
      "Encodes model activations to sparse latents.",
      "A folder gets shards and an index.json; a run that was stopped resumes with the same command."
    })
final class EncodeCommand implements Callable<Integer> {

  @Mixin private LoadMixin load;

  @Mixin private ActivationsMixin activations;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "PATH",
      required = true,
      description =
          "One file if the name ends in .safetensors, replaced when all is written; else a folder.")
  private Path target;

  @ArgGroup private SelectionGroup selection;

  @Option(
      names = "--batch",
      paramLabel = "ROWS",
      defaultValue = "1024",
      description = "Rows encoded at once; default: ${DEFAULT-VALUE}.")
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

  @Option(
      names = "--skip-non-finite",
      description =
          "Store rows that hold a NaN or an infinity without latents, instead of stopping there.")
  private boolean skipNonFinite;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    if (isFile()) {
      Output.requireWritable(target);
    } else {
      Output.requireWritableFolder(target);
    }
    try (SAE sae = load.open(output)) {
      ActivationSource source = activations.open(sae.dIn());
      try (Progress bar = output.progress("encode", "tokens", source.rows())) {
        EncodeOptions options = options().progress((done, rows) -> bar.stepTo(done));
        report(
            isFile()
                ? EncodeRun.toFile(sae, source, target, options)
                : EncodeRun.toFolder(sae, source, target, options));
      }
    }
    return ExitCode.OK.code();
  }

  private boolean isFile() {
    return target.toString().toLowerCase(Locale.ROOT).endsWith(".safetensors");
  }

  private EncodeOptions options() throws IOException {
    EncodeOptions options =
        EncodeOptions.defaults()
            .saeName(load.name())
            .batchRows(batchRows)
            .rowsPerShard(rowsPerShard)
            .restart(restart)
            .nonFiniteAsEmpty(skipNonFinite);
    if (selection == null) {
      return options;
    }
    return options.selection(selection.selection());
  }

  private void report(EncodeResult result) {
    if (output.isJson()) {
      output.json(
          Output.object()
              .put("output", target.toString())
              .put("rows", result.rows())
              .put("entries", result.entries())
              .put("mean_l0", result.meanL0())
              .put("non_finite_rows", result.nonFiniteRows())
              .put("shards", result.shards())
              .put("resumed_rows", result.resumedRows())
              .put("rows_per_second", result.rowsPerSecond()));
      return;
    }
    output.line(
        "wrote %s: %d rows, %d active latents, mean L0 %s, %s rows/s"
            .formatted(
                target,
                result.rows(),
                result.entries(),
                Numbers.fixed(result.meanL0(), 2),
                Numbers.fixed(result.rowsPerSecond(), 0)));
    if (result.resumedRows() > 0) {
      output.line(result.resumedRows() + " of the rows were there from an earlier run");
    }
    if (result.nonFiniteRows() > 0) {
      output.line(result.nonFiniteRows() + " rows were not finite and are stored without latents");
    }
  }
}
