package io.matryoshka.sae.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationOptions;
import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.RowMask;
import io.matryoshka.sae.eval.RunOptions;
import io.matryoshka.sae.io.AtomicFile;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures an SAE on activations. */
@Command(
    name = "evaluate",
    description = {
      "Measures how well an SAE reconstructs your activations, at every prefix width: explained"
          + " variance, errors, sparsity and densities. The bundled demo brings its own"
          + " activations.",
      "With --checkpoint a run that was stopped resumes with the same command."
    })
final class EvaluateCommand implements Callable<Integer> {

  @Mixin private LoadMixin load;

  @Mixin private ActivationsOrDemoMixin activations;

  @Option(
      names = "--mask",
      paramLabel = "FILE",
      description =
          "One number or boolean per row, .npy or .safetensors: 0 leaves the row out, as a special"
              + " token.")
  private Path mask;

  @Option(
      names = "--mask-tensor",
      paramLabel = "NAME",
      description = "Tensor in the mask's .safetensors file; default: its only one.")
  private String maskTensor;

  @ArgGroup private SelectionGroup selection;

  @Option(
      names = "--batch",
      paramLabel = "ROWS",
      defaultValue = "" + EvaluationOptions.DEFAULT_BATCH_ROWS,
      description =
          "Rows of an evaluation batch, for metrics that are defined per batch; default:"
              + " ${DEFAULT-VALUE}.")
  private int batchRows;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description = "Keep in this file what is done, and go on from it.")
  private Path checkpoint;

  @Option(
      names = "--checkpoint-rows",
      paramLabel = "ROWS",
      defaultValue = "" + RunOptions.DEFAULT_CHECKPOINT_ROWS,
      description = "Rows between two checkpoints; default: ${DEFAULT-VALUE}.")
  private int checkpointRows;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Write a report: one page that opens without a network.")
  private Path html;

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description = "Write the metrics as CSV, one line per prefix width.")
  private Path csv;

  @Option(
      names = "--latents-csv",
      paramLabel = "FILE",
      description = "Write the statistics of all latents as CSV.")
  private Path latentsCsv;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    Output.requireWritable(checkpoint, html, csv, latentsCsv);
    Optional<SaeEntry> entry = load.entry();
    boolean demo = activations.isDemo(entry);
    try (SAE sae = load.open(output);
        BundledDemo bundled = BundledDemo.open()) {
      ActivationSource source = demo ? bundled.activations() : activations.open(sae.dIn());
      Evaluation evaluation;
      try (Progress bar = output.progress("evaluate", "tokens", source.rows())) {
        evaluation = EvaluationRun.run(sae, source, options().progress(bar::stepTo));
      }
      write(new EvaluationReport(load.name(), evaluation, entry, sae.logSparsity()));
    }
    return ExitCode.OK.code();
  }

  private RunOptions options() throws IOException {
    EvaluationOptions evaluation = EvaluationOptions.defaults().batchRows(batchRows);
    if (selection != null) {
      evaluation = evaluation.selection(selection.selection());
    }
    RunOptions options =
        RunOptions.defaults().evaluation(evaluation).checkpointRows(checkpointRows);
    if (mask != null) {
      options = options.mask(RowMask.open(mask, Optional.ofNullable(maskTensor)));
    }
    return checkpoint == null ? options : options.checkpoint(checkpoint);
  }

  private void write(EvaluationReport report) throws IOException {
    if (html != null) {
      report.page().write(html);
    }
    if (csv != null) {
      AtomicFile.write(csv, report.widthsCsv());
    }
    if (latentsCsv != null) {
      AtomicFile.write(latentsCsv, report.latentsCsv());
    }
    if (output.isJson()) {
      output.json(report.json());
    } else {
      EvaluationText.print(report, output);
    }
  }
}
