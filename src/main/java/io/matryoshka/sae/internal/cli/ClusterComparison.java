package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.explore.Comparison;
import io.matryoshka.sae.internal.spark.job.SaeJobs;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.Optional;

/**
 * The side that the user names first, to be compared with another that a cluster counts.
 *
 * @param jobs of the SAE
 * @param source its activations
 * @param statistics what was counted of them
 * @param rows which of them count
 */
record ClusterComparison(
    SaeJobs jobs, ActivationSource source, LatentStatistics statistics, RowRules rows) {

  /** Counts the other side; empty if there is none. */
  Optional<Comparison> with(
      AgainstMixin against,
      ClusterActivationsMixin activations,
      ClusterSession session,
      LoadMixin load)
      throws IOException {
    SAE sae = jobs.sae();
    if (!against.inputs().isEmpty()) {
      // The mask is one of the first activations; what is not finite is left out of both.
      RowRules finite = RowRules.all().skipNonFinite(rows.skipsNonFinite());
      ActivationSource others = activations.open(jobs, against.inputs(), SourceOptions.of(sae));
      return Optional.of(
          Comparison.ofActivations(against.label(), statistics, jobs.count(others, finite)));
    }
    Optional<AgainstMixin.Named> named = against.sae();
    if (named.isEmpty()) {
      return Optional.empty();
    }
    SaeJobs other = session.sae(named.get().release(), named.get().saeId(), load);
    LatentStatistics counts = other.count(source, rows.withoutWarnings());
    return Optional.of(
        Comparison.ofSaes(against.label(), sae, statistics, other.sae(), counts, done -> {}));
  }
}
