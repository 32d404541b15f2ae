package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.explore.Comparison;
import io.matryoshka.sae.explore.Exploration;
import io.matryoshka.sae.explore.ExplorationReport;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.explore.Tokens;
import io.matryoshka.sae.internal.spark.job.SaeJobs;
import io.matryoshka.sae.labels.Labels;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Looks at what single latents do, on a cluster. */
@Command(
    name = "explore",
    description =
        "Shows what latents do on your activations: strongest tokens in context, nearest latents,"
            + " parents and children, absorption, and differences from another side.")
final class ClusterExploreCommand implements Callable<Integer> {

  @Mixin private LoadMixin load;

  @Mixin private ClusterActivationsMixin activations;

  @Mixin private SpecialTokensMixin special;

  @Mixin private TokensMixin tokenTexts;

  @Mixin private RowsMixin rows;

  @Mixin private ExplorerMixin what;

  @Mixin private AgainstMixin against;

  @Option(
      names = "--html",
      paramLabel = "URI",
      description = "Write a report: one page that opens without a network.")
  private String html;

  @Option(names = "--csv", paramLabel = "URI", description = "Write a table of all latents as CSV.")
  private String csv;

  @Mixin private LabelsMixin labelOptions;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    activations.check();
    against.check();
    LoadSettings named = load.settings();
    ClusterSession session = ClusterSession.start();
    session.requireApart(
        activations.inputs(),
        session.foldersOf(named, activations.model()),
        html,
        csv,
        activations.work());
    try (Labels labels = labelOptions.open(load, output)) {
      SaeJobs jobs = session.sae(named, load.hub());
      ActivationSource source = activations.open(session, jobs, load, output, special.skips());
      Optional<Tokens> tokens = tokenTexts.read(source).or(activations::tokens);
      ExplorerOptions options =
          what.options(activations.rules(rows.rules(session::file), special.skips()));
      Exploration found = jobs.explore(source, options);
      Optional<Comparison> comparison =
          new ClusterComparison(jobs, source, found.statistics(), rows.rules(session::file))
              .with(against, activations, session, load);
      write(
          session,
          new ExplorationReport(load.name(), load.entry(), found, tokens, comparison, labels));
      activations.delete();
    }
    return ExitCode.OK.code();
  }

  private void write(ClusterSession session, ExplorationReport report) throws IOException {
    session.write(html, report.html());
    session.write(csv, report.csv());
    if (output.isJson()) {
      output.json(Output.tree(report.json()));
    } else {
      new ExploreText(report, output).print(what.namesLatents());
    }
  }
}
