package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationHints;
import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.internal.spark.job.SaeJobs;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures an SAE on activations, on a cluster. */
@Command(
    name = "evaluate",
    description =
        "Measures how well an SAE reconstructs your activations, at every prefix width: explained"
            + " variance, errors, sparsity and densities.")
final class ClusterEvaluateCommand implements Callable<Integer> {

  @Mixin private LoadMixin load;

  @Mixin private ClusterActivationsMixin activations;

  @Mixin private SpecialTokensMixin special;

  @Option(
      names = "--target",
      paramLabel = "URI",
      description =
          "Activations of the output of a transcoder for the same tokens, which its output is"
              + " compared with.")
  private List<String> target = new ArrayList<>();

  @Mixin private RowsMixin rows;

  @Mixin private MetricsMixin metrics;

  @Option(
      names = "--html",
      paramLabel = "URI",
      description = "Write a report: one page that opens without a network.")
  private String html;

  @Option(
      names = "--csv",
      paramLabel = "URI",
      description = "Write the metrics as CSV, one line per prefix width.")
  private String csv;

  @Option(
      names = "--latents-csv",
      paramLabel = "URI",
      description = "Write the statistics of all latents as CSV.")
  private String latentsCsv;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    activations.check();
    LoadSettings named = load.settings();
    ClusterSession session = ClusterSession.start();
    session.requireApart(
        activations.inputs(),
        session.foldersOf(named, activations.model()),
        html,
        csv,
        latentsCsv,
        activations.work());
    SaeJobs jobs = session.sae(named, load.hub());
    ActivationSource source = activations.open(session, jobs, load, output, special.skips());
    EvaluationRunOptions options =
        EvaluationRunOptions.defaults()
            .evaluation(metrics.options())
            .rows(activations.rules(rows.rules(session::file), special.skips()));
    Evaluation found = jobs.evaluate(source, target.isEmpty() ? source : target(jobs), options);
    EvaluationReport report =
        new EvaluationReport(load.name(), found, load.entry(), jobs.sae().logSparsity());
    session.write(html, report.html());
    session.write(csv, report.widthsCsv());
    session.write(latentsCsv, report.latentsCsv());
    if (output.isJson()) {
      output.json(Output.tree(report.json()));
    } else {
      EvaluationText.print(report, output);
    }
    OptionalInt trained =
        !metrics.hasSelection() ? load.trainingK(jobs.sae()) : OptionalInt.empty();
    EvaluationHints.of(found, jobs.sae().config(), trained).forEach(output::note);
    activations.delete();
    return ExitCode.OK.code();
  }

  private ActivationSource target(SaeJobs jobs) throws IOException {
    return jobs.open(target, SourceOptions.defaults().dIn(jobs.sae().dOut()));
  }
}
