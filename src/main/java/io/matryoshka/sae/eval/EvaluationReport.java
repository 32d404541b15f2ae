package io.matryoshka.sae.eval;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.report.Page;
import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * An evaluation for readers: as JSON, as CSV and as one self-contained HTML page. The same
 * evaluation gives the same bytes.
 */
public final class EvaluationReport {

  private final String name;
  private final Evaluation evaluation;
  private final Optional<SaeEntry> entry;
  private final Optional<float[]> logSparsity;
  private final Optional<SpliceLoss> loss;

  /**
   * Describes a report.
   *
   * @param name what the SAE is called, for titles
   * @param evaluation the metrics
   * @param entry the registry's entry for the SAE, for published figures and links to Neuronpedia
   * @param logSparsity {@code SAE.logSparsity()}, the published densities; copied
   * @throws IllegalArgumentException if there is not one published density for each latent
   */
  public EvaluationReport(
      String name, Evaluation evaluation, Optional<SaeEntry> entry, Optional<float[]> logSparsity) {
    this(name, evaluation, entry, logSparsity.map(float[]::clone), Optional.empty());
    published();
  }

  private EvaluationReport(
      String name,
      Evaluation evaluation,
      Optional<SaeEntry> entry,
      Optional<float[]> logSparsity,
      Optional<SpliceLoss> loss) {
    this.name = Objects.requireNonNull(name, "name");
    this.evaluation = Objects.requireNonNull(evaluation, "evaluation");
    this.entry = Objects.requireNonNull(entry, "entry");
    this.logSparsity = logSparsity;
    this.loss = loss;
  }

  /**
   * Adds what the reconstruction costs the language model.
   *
   * @param measured the losses with the same SAE
   * @return a report with them beside the other figures
   * @throws IllegalArgumentException if they are of other prefix widths
   */
  public EvaluationReport withLoss(SpliceLoss measured) {
    List<Integer> expected = evaluation.widths().stream().map(WidthMetrics::width).toList();
    List<Integer> found =
        measured.widths().stream().map(SpliceLoss.WidthLoss::prefixWidth).toList();
    if (!found.equals(expected)) {
      throw new IllegalArgumentException(
          "losses must be of the widths of the evaluation, expected %s, got %s"
              .formatted(expected, found));
    }
    return new EvaluationReport(name, evaluation, entry, logSparsity, Optional.of(measured));
  }

  /**
   * Returns what the SAE is called.
   *
   * @return as given
   */
  public String name() {
    return name;
  }

  /**
   * Returns the metrics.
   *
   * @return as given
   */
  public Evaluation evaluation() {
    return evaluation;
  }

  /**
   * Compares with the published figures.
   *
   * @return the comparison; its parts are empty where nothing is published
   */
  public PublishedComparison published() {
    return PublishedComparison.of(
        evaluation,
        entry.map(SaeEntry::explainedVariance).orElse(OptionalDouble.empty()),
        logSparsity);
  }

  /**
   * Returns what the reconstruction costs the language model.
   *
   * @return as given to {@link #withLoss}; empty if it was not measured
   */
  public Optional<SpliceLoss> loss() {
    return loss;
  }

  /**
   * Returns the report as JSON: names as in the records, in lower case with underscores; a number
   * that is not defined is null.
   *
   * @return the text of an object
   */
  public String json() {
    return tree().toString();
  }

  ObjectNode tree() {
    return EvaluationJson.write(this);
  }

  /**
   * Returns the metrics of the widths as CSV.
   *
   * @return a header and one line per width; a number that is not defined is an empty cell
   */
  public String widthsCsv() {
    return EvaluationCsv.widths(this);
  }

  /**
   * Returns the statistics of the latents as CSV.
   *
   * @return a header and one line per latent; a number that is not defined is an empty cell
   */
  public String latentsCsv() {
    return EvaluationCsv.latents(evaluation, logSparsity);
  }

  /**
   * Makes the page: plots and tables that need no network.
   *
   * @return HTML
   */
  public String html() {
    return page().html();
  }

  /**
   * Writes the page of {@link #html}.
   *
   * @param file the target, which appears when all is written
   * @throws IOException if it cannot be written
   */
  public void writeHtml(Path file) throws IOException {
    page().write(file);
  }

  Page page() {
    return new EvaluationPage(this).page();
  }

  Optional<SaeEntry> entry() {
    return entry;
  }

  Optional<float[]> logSparsity() {
    return logSparsity;
  }
}
