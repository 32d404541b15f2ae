package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.explore.Comparison;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that name another side to compare latents with. */
final class AgainstMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--against",
      paramLabel = "RELEASE:SAE_ID",
      description = "Another SAE of the same d_in to compare with, on the same activations.")
  private String against;

  @Option(
      names = "--against-input",
      paramLabel = "FILE",
      arity = "1..*",
      parameterConsumer = InputConsumer.class,
      description = "Other activations to compare with, read by the same SAE.")
  private List<String> otherInputs = new ArrayList<>();

  private List<Path> otherFiles = List.of();

  /** Another SAE by its names; the id is empty for the top of a repository. */
  record Named(String release, String saeId) {}

  /** The side that the user names first, and what was counted of it. */
  record Side(SAE sae, ActivationSource source, LatentStatistics statistics) {}

  boolean isGiven() {
    return against != null || !otherInputs.isEmpty();
  }

  /** Checks the words, before an SAE is loaded. */
  void check() {
    if (against != null && !otherInputs.isEmpty()) {
      throw usage("expected either --against or --against-input, got both");
    }
    sae();
  }

  /** Finds the files, so that a wrong name is told before an SAE is loaded. */
  void find() throws IOException {
    check();
    otherFiles = otherInputs.isEmpty() ? List.of() : TensorMixin.find(otherInputs);
  }

  /**
   * Counts the other side; empty if there is none.
   *
   * @param rows which rows of the first side count
   * @param activations reads other files as it read those of the first side
   * @param options how the other SAE is loaded
   */
  Optional<Comparison> compare(
      Side first,
      RowRules rows,
      ActivationsOrDemoMixin activations,
      LoadOptions options,
      StagedProgress progress)
      throws IOException {
    if (!otherFiles.isEmpty()) {
      // The mask is one of the first activations; what is not finite is left out of both.
      RowRules finite = RowRules.all().skipNonFinite(rows.skipsNonFinite());
      LatentStatistics other =
          new Explorer(first.sae(), progress)
              .count(
                  activations.open(otherFiles, first.sae()),
                  ExplorerOptions.defaults().rows(finite));
      return Optional.of(
          Comparison.ofActivations(String.join(" ", otherInputs), first.statistics(), other));
    }
    return against == null
        ? Optional.empty()
        : Optional.of(compareSaes(first, rows.withoutWarnings(), options, progress));
  }

  private Comparison compareSaes(
      Side first, RowRules rows, LoadOptions options, StagedProgress progress) throws IOException {
    Named named = sae().orElseThrow();
    try (SAE other = SAE.fromPretrained(named.release(), named.saeId(), options)) {
      LatentStatistics counts =
          new Explorer(other, progress)
              .count(first.source(), ExplorerOptions.defaults().rows(rows));
      int total = first.sae().dSae() + other.dSae();
      return Comparison.ofSaes(
          against,
          first.sae(),
          first.statistics(),
          other,
          counts,
          done -> progress.step("matching", done, total));
    }
  }

  /** The other SAE that was named; empty if other activations were, or nothing. */
  Optional<Named> sae() {
    if (against == null) {
      return Optional.empty();
    }
    int colon = against.indexOf(':');
    if (colon < 0 && against.contains("/")) {
      return Optional.of(new Named(against, ""));
    }
    if (colon < 1 || colon == against.length() - 1) {
      throw usage("--against: expected RELEASE:SAE_ID, or OWNER/REPO, got '" + against + "'");
    }
    return Optional.of(new Named(against.substring(0, colon), against.substring(colon + 1)));
  }

  /** The other activations that were named. */
  List<String> inputs() {
    return List.copyOf(otherInputs);
  }

  /** What the user named, for people. */
  String label() {
    return against != null ? against : String.join(" ", otherInputs);
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
