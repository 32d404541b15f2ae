package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.EncodeRun;
import java.io.IOException;
import java.nio.file.Path;
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
    },
    footer = {"", "Example:", "  matryoshka-sae encode --dir my-sae -i activations/ -o latents/"})
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

  @Mixin private RowsMixin rows;

  @Mixin private Output output;

  @Override
  @SuppressWarnings("try") // The hint does its work by being open.
  public Integer call() throws IOException {
    FileOrFolder.requireWritable("sparse latents", target);
    activations.find();
    EncodeOptions basis = options();
    try (SAE sae = load.open(output)) {
      ActivationSource source = activations.open(sae, load, output);
      try (Progress bar = output.progress("encode", "tokens", source.rows());
          ResumeHint hint = ResumeHint.whileOpen(output, howToGoOn())) {
        EncodeOptions options = basis.progress((done, rows) -> bar.stepTo(done));
        report(
            FileOrFolder.isFile(target)
                ? EncodeRun.toFile(sae, source, target, options)
                : EncodeRun.toFolder(sae, source, target, options));
      }
    }
    return ExitCode.OK.code();
  }

  private String howToGoOn() {
    return FileOrFolder.isFile(target)
        ? "nothing is written; with a folder as --output a run goes on where it was stopped"
        : "run the same command to go on from the files finished in " + target;
  }

  private EncodeOptions options() throws IOException {
    EncodeOptions options =
        EncodeOptions.defaults()
            .saeName(load.name())
            .batchRows(batchRows)
            .rowsPerShard(rowsPerShard)
            .restart(restart)
            .rows(rows.rules());
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
              .put("masked_rows", result.maskedRows())
              .put("non_finite_rows", result.nonFiniteRows())
              .put("shards", result.shards())
              .put("resumed_rows", result.resumedRows())
              .put("rows_per_second", result.rowsPerSecond()));
      return;
    }
    output.line(
        "wrote %s: %s, %s, mean L0 %s, %s rows/s"
            .formatted(
                target,
                Numbers.count(result.rows(), "row"),
                Numbers.count(result.entries(), "active latent"),
                Numbers.fixed(result.meanL0(), 2),
                Numbers.fixed(result.rowsPerSecond(), 0)));
    if (result.resumedRows() > 0) {
      output.line(result.resumedRows() + " of the rows were there from an earlier run");
    }
    leftOut(result.maskedRows(), "masked out");
    leftOut(result.nonFiniteRows(), "not finite");
  }

  private void leftOut(long rows, String why) {
    if (rows > 0) {
      output.line(
          "%s %s and %s stored without latents"
              .formatted(
                  Numbers.count(rows, "row") + (rows == 1 ? " was" : " were"),
                  why,
                  rows == 1 ? "is" : "are"));
    }
  }
}
