package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationHints;
import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.lm.SpliceLossRun;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures an SAE on activations. */
@Command(
    name = "evaluate",
    description = {
      "Measures how well an SAE reconstructs your activations, at every prefix width: explained"
          + " variance, errors, sparsity and densities. The bundled demo brings its own"
          + " activations.",
      "With --checkpoint a run that was stopped resumes with the same command."
    },
    footer = {
      "",
      "Example:",
      "  matryoshka-sae evaluate all-minilm-l6-v2-matryoshka-demo --html report.html"
    })
final class EvaluateCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Mixin private LoadMixin load;

  @Mixin private ActivationsOrDemoMixin activations;

  @Option(
      names = "--target",
      paramLabel = "FILE",
      description =
          "Activations of the output of a transcoder for the same tokens, which its output is"
              + " compared with.")
  private List<String> target = new ArrayList<>();

  @Mixin private RowsMixin rows;

  @Mixin private LossMixin loss;

  @Mixin private LayersMixin layers;

  @Mixin private MetricsMixin metrics;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description = "Keep in this file what is done, and go on from it.")
  private Path checkpoint;

  @Option(
      names = "--checkpoint-rows",
      paramLabel = "ROWS",
      defaultValue = "" + EvaluationRunOptions.DEFAULT_CHECKPOINT_ROWS,
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
  @SuppressWarnings("try") // The hint does its work by being open.
  public Integer call() throws IOException {
    requireLossFits();
    if (layers.isGiven()) {
      evaluateLayers();
      return ExitCode.OK.code();
    }
    Output.requireWritable(checkpoint, html, csv, latentsCsv);
    Output.requireWritable(lossCheckpoint().orElse(null));
    Optional<SaeEntry> entry = load.entry();
    boolean demo = activations.isDemo(entry);
    try (SAE sae = load.open(output);
        BundledDemo bundled = BundledDemo.open()) {
      ActivationSource source = demo ? bundled.activations() : activations.open(sae, load, output);
      EvaluationRunOptions basis = options(sae);
      Evaluation evaluation;
      try (Progress bar = output.progress("evaluate", "tokens", source.rows());
          ResumeHint hint = ResumeHint.whileOpen(output, howToGoOn())) {
        EvaluationRunOptions options = basis.progress(bar::stepTo);
        evaluation =
            target.isEmpty()
                ? EvaluationRun.run(sae, source, options)
                : EvaluationRun.run(sae, source, activations.openTarget(target, sae), options);
      }
      EvaluationReport report =
          new EvaluationReport(load.name(), evaluation, entry, sae.logSparsity());
      write(loss.isGiven() ? report.withLoss(measureLoss(sae)) : report);
      OptionalInt trained = !metrics.hasSelection() ? load.trainingK(sae) : OptionalInt.empty();
      EvaluationHints.of(evaluation, sae.config(), trained).forEach(output::note);
    }
    return ExitCode.OK.code();
  }

  private void evaluateLayers() throws IOException {
    activations.requireNotBoth();
    layers.requireNone("--target", target.isEmpty());
    layers.requireNone("--checkpoint", checkpoint == null);
    layers.requireNone("--html", html == null);
    layers.requireNone("--latents-csv", latentsCsv == null);
    RowRules rules = rows.rules();
    layers.requireNone("--mask", rules.mask().isEmpty());
    Output.requireWritable(csv);
    LayersResult result =
        new LayersEvaluation(load, activations, output)
            .run(
                load.entries(layers, output),
                metrics.options(),
                rules.skipsNonFinite(),
                loss.isGiven());
    if (csv != null) {
      AtomicFile.write(csv, result.csv());
    }
    if (output.isJson()) {
      output.json(result.json());
    } else {
      new LayersText(result).print(output);
    }
  }

  private void requireLossFits() {
    if (loss.isGiven() && metrics.hasSelection()) {
      throw usage(
          "--loss measures the SAE's own rule of selection; leave out --top-k and --batch-top-k");
    }
  }

  @SuppressWarnings("try") // The hint does its work by being open.
  private SpliceLoss measureLoss(SAE sae) throws IOException {
    try (LanguageModel model = activations.openModel(sae, load, output);
        ResumeHint hint = ResumeHint.whileOpen(output, howToGoOn())) {
      return LossMixin.measure(
          new SpliceLossRun(model, sae).keepBos(activations.leavesOutSpecial(sae)),
          activations.ofText().orElseThrow().texts(),
          lossCheckpoint(),
          output);
    }
  }

  private Optional<Path> lossCheckpoint() {
    return Optional.ofNullable(checkpoint)
        .filter(file -> loss.isGiven())
        .map(LossMixin::checkpointBeside);
  }

  private String howToGoOn() {
    return checkpoint != null
        ? "run the same command to go on from " + checkpoint
        : "nothing is kept; with --checkpoint FILE a run goes on where it was stopped";
  }

  private EvaluationRunOptions options(SAE sae) throws IOException {
    EvaluationRunOptions options =
        EvaluationRunOptions.defaults()
            .evaluation(metrics.options())
            .rows(activations.rules(rows.rules(), sae, output))
            .checkpointRows(checkpointRows);
    return checkpoint == null ? options : options.checkpoint(checkpoint);
  }

  private void write(EvaluationReport report) throws IOException {
    if (html != null) {
      report.writeHtml(html);
    }
    if (csv != null) {
      AtomicFile.write(csv, report.widthsCsv());
    }
    if (latentsCsv != null) {
      AtomicFile.write(latentsCsv, report.latentsCsv());
    }
    if (output.isJson()) {
      output.json(Output.tree(report.json()));
    } else {
      EvaluationText.print(report, output);
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
