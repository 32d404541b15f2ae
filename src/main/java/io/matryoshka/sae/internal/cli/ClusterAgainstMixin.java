package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.explore.Comparison;
import io.matryoshka.sae.internal.spark.job.SaeJobs;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that name another side to compare with, which a cluster counts, too. */
final class ClusterAgainstMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--against",
      paramLabel = "RELEASE:SAE_ID",
      description = "Another SAE of the same d_in to compare with, on the same activations.")
  private String against;

  @Option(
      names = "--against-input",
      paramLabel = "URI",
      arity = "1..*",
      parameterConsumer = InputConsumer.class,
      description = "Other activations to compare with, read by the same SAE.")
  private List<String> otherInputs = new ArrayList<>();

  /** The side that the user names first, and what was counted of it. */
  record Side(SaeJobs jobs, ActivationSource source, LatentStatistics statistics) {}

  void check() {
    if (against != null && !otherInputs.isEmpty()) {
      throw usage("expected either --against or --against-input, got both");
    }
    if (against != null) {
      int colon = against.indexOf(':');
      boolean topOfRepository = colon < 0 && against.contains("/");
      if (!topOfRepository && (colon < 1 || colon == against.length() - 1)) {
        throw usage("--against: expected RELEASE:SAE_ID, or OWNER/REPO, got '" + against + "'");
      }
    }
  }

  /** Counts the other side; empty if there is none. */
  Optional<Comparison> compare(
      Side first,
      RowRules rows,
      ClusterActivationsMixin activations,
      ClusterSession session,
      LoadMixin load)
      throws IOException {
    SAE sae = first.jobs().sae();
    if (!otherInputs.isEmpty()) {
      // The mask is one of the first activations; what is not finite is left out of both.
      RowRules finite = RowRules.all().skipNonFinite(rows.skipsNonFinite());
      ActivationSource others = activations.open(first.jobs(), otherInputs, SourceOptions.of(sae));
      return Optional.of(
          Comparison.ofActivations(
              String.join(" ", otherInputs),
              first.statistics(),
              first.jobs().count(others, finite)));
    }
    if (against == null) {
      return Optional.empty();
    }
    int colon = against.indexOf(':');
    SaeJobs other =
        colon < 0
            ? session.sae(against, "", load)
            : session.sae(against.substring(0, colon), against.substring(colon + 1), load);
    LatentStatistics counts = other.count(first.source(), rows.withoutWarnings());
    return Optional.of(
        Comparison.ofSaes(against, sae, first.statistics(), other.sae(), counts, done -> {}));
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
