package io.matryoshka.sae.explore;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.report.Page;
import io.matryoshka.sae.labels.Labels;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What was found about the latents of an SAE, to be written as a page for people, or as JSON or CSV
 * for programs. The same findings give the same bytes.
 *
 * @param name what was explored, for people, such as release and id of the SAE
 * @param entry the SAE's entry in the registry, for links to Neuronpedia; empty if it has none
 * @param exploration what was found
 * @param tokens the tokens of the activations; empty if unknown, rows are then named by number
 * @param comparison how latents differ from another side; empty without one
 * @param labels what latents are said to stand for; stays open as long as the report is used
 */
public record ExplorationReport(
    String name,
    Optional<SaeEntry> entry,
    Exploration exploration,
    Optional<Tokens> tokens,
    Optional<Comparison> comparison,
    Labels labels) {

  /**
   * Makes a report without labels.
   *
   * @param name what was explored
   * @param entry the SAE's entry in the registry
   * @param exploration what was found
   * @param tokens the tokens of the activations
   * @param comparison how latents differ from another side
   * @throws IllegalArgumentException if there is not one token for each row
   */
  public ExplorationReport(
      String name,
      Optional<SaeEntry> entry,
      Exploration exploration,
      Optional<Tokens> tokens,
      Optional<Comparison> comparison) {
    this(name, entry, exploration, tokens, comparison, Labels.none());
  }

  /**
   * Checks that the tokens are those of the activations.
   *
   * @param name what was explored
   * @param entry the SAE's entry in the registry
   * @param exploration what was found
   * @param tokens the tokens of the activations
   * @param comparison how latents differ from another side
   * @param labels what latents are said to stand for
   * @throws IllegalArgumentException if there is not one token for each row
   */
  public ExplorationReport {
    Objects.requireNonNull(labels, "labels");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(entry, "entry");
    Objects.requireNonNull(exploration, "exploration");
    Objects.requireNonNull(comparison, "comparison");
    tokens.ifPresent(t -> t.requireRows(exploration.rows()));
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
    return new ExplorationPage(this).page();
  }

  /**
   * Makes the findings on the latents described as JSON; docs/exploration.md says what they mean.
   *
   * @return the text of an object
   */
  public String json() {
    return tree().toString();
  }

  /**
   * Makes the findings on one latent as JSON, as they stand in {@link #json()}.
   *
   * @param latent index of the latent
   * @return the text of an object; empty if the latent was not described
   */
  public Optional<String> json(int latent) {
    return exploration.profile(latent).map(p -> new ExplorationJson(this).latent(p).toString());
  }

  ObjectNode tree() {
    return new ExplorationJson(this).json();
  }

  /**
   * Makes a table of all latents as CSV (RFC 4180, UTF-8, with a header; empty cells where a latent
   * was not described).
   *
   * @return the text
   */
  public String csv() {
    return new ExplorationCsv(this).text();
  }

  /**
   * Returns the token of a row.
   *
   * @param row index of the row
   * @return its text, or its number if the tokens are unknown
   */
  public String text(long row) {
    return tokens.map(t -> t.text(Math.toIntExact(row))).orElseGet(() -> String.valueOf(row));
  }

  /**
   * Returns the tokens where a latent is strongest, with the context cut at the ends of their
   * sequences.
   *
   * @param latent index of the latent
   * @return strongest first
   */
  public List<TopContext> contexts(int latent) {
    return exploration.contexts(latent).stream()
        .map(context -> tokens.map(context::within).orElse(context))
        .toList();
  }

  /**
   * Returns a context as people read it: the pieces of words joined, the token in brackets.
   *
   * @param context the context
   * @return its text in one line
   */
  public String text(TopContext context) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < context.activations().length; i++) {
      int row = Math.toIntExact(context.firstRow() + i);
      boolean joins = i == 0 || tokens.map(t -> t.goesOn(row)).orElse(false);
      String piece = tokens.map(t -> t.pieces().piece(t.text(row))).orElse(String.valueOf(row));
      text.append(joins ? "" : " ").append(row == context.row() ? "[" + piece + "]" : piece);
    }
    return text.toString().replaceAll("\\R", "↵").replace('\t', '⇥');
  }

  /** Takes a context and how many there are of the same text. */
  @FunctionalInterface
  public interface ContextVisitor {

    /**
     * Takes a context.
     *
     * @param context the strongest of those with one text
     * @param times how many there are
     */
    void accept(TopContext context, int times);
  }

  /**
   * Shows the tokens where a latent is strongest, those of one text once.
   *
   * @param latent index of the latent
   * @param visitor called with the strongest first
   */
  public void eachContext(int latent, ContextVisitor visitor) {
    contextGroups(latent).forEach(group -> visitor.accept(group.first(), group.times()));
  }

  /**
   * Shows tokens from the lower quarters of a latent's range, those of one text once.
   *
   * @param profile what was found about the latent
   * @param visitor called with the strongest quarter first
   */
  public void eachExample(LatentProfile profile, ContextVisitor visitor) {
    examples(profile).forEach(group -> visitor.accept(group.first(), group.times()));
  }

  /** The contexts of a latent, those of one text merged. */
  List<ContextGroup> contextGroups(int latent) {
    return ContextGroup.of(contexts(latent), tokens);
  }

  /** Tokens from the lower quarters of a latent's range, cut and merged likewise. */
  List<ContextGroup> examples(LatentProfile profile) {
    return ContextGroup.of(
        profile.examples().stream()
            .map(context -> tokens.map(context::within).orElse(context))
            .toList(),
        tokens);
  }

  /**
   * Returns the different words where a latent is strongest.
   *
   * @param latent index of the latent
   * @return at most 5 texts with blanks between, strongest first; empty if the tokens are unknown
   */
  public String topTokens(int latent) {
    return tokens.isEmpty()
        ? ""
        : exploration.contexts(latent).stream()
            .map(context -> tokens.get().word(Math.toIntExact(context.row())))
            .distinct()
            .limit(5)
            .collect(Collectors.joining(" "));
  }
}
