package io.matryoshka.sae.stream;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which rows of a source take part in a run, the same for every run over activations. Immutable;
 * each method returns a changed copy.
 *
 * <p>A row that a mask leaves out keeps its number and has no latents; nothing is counted of it. A
 * row that cannot be encoded ({@link RowFaults}) stops the run, which names it; or, if asked for,
 * is left out like a masked one, named in a warning and counted. In no case does it enter a mean, a
 * density, a context or an output.
 */
public final class RowRules {

  private static final Logger LOG = LoggerFactory.getLogger(RowRules.class);

  /** A mask that keeps a smaller share of the rows than this is warned of. */
  private static final double SMALL_SHARE = 0.1;

  private static final RowRules ALL = new RowRules(Optional.empty(), false, true);

  private final Optional<RowMask> mask;
  private final boolean skipsNonFinite;
  private final boolean warns;

  private RowRules(Optional<RowMask> mask, boolean skipsNonFinite, boolean warns) {
    this.warns = warns;
    this.mask = mask;
    this.skipsNonFinite = skipsNonFinite;
  }

  /**
   * Returns the rule by default: every row counts, and one that cannot be encoded stops the run.
   *
   * @return the rule
   */
  public static RowRules all() {
    return ALL;
  }

  /**
   * Leaves rows out.
   *
   * @param rows one element for each row of the source
   * @return changed rules
   */
  public RowRules mask(RowMask rows) {
    return new RowRules(Optional.of(Objects.requireNonNull(rows, "rows")), skipsNonFinite, warns);
  }

  /**
   * Sets what happens at a row that cannot be encoded.
   *
   * @param skip true to leave it out and count it, false to stop with an error that names it
   * @return changed rules
   */
  public RowRules skipNonFinite(boolean skip) {
    return new RowRules(mask, skip, warns);
  }

  /**
   * Returns the same rules without warnings, for a second pass over the same rows.
   *
   * @return changed rules
   */
  public RowRules withoutWarnings() {
    return new RowRules(mask, skipsNonFinite, false);
  }

  boolean warns() {
    return warns;
  }

  /**
   * Returns the mask.
   *
   * @return empty if every row counts
   */
  public Optional<RowMask> mask() {
    return mask;
  }

  /**
   * Returns what happens at a row that cannot be encoded.
   *
   * @return true if it is left out, false if it stops the run
   */
  public boolean skipsNonFinite() {
    return skipsNonFinite;
  }

  /**
   * Checks that the mask is one of these activations, and warns of one that keeps almost nothing.
   *
   * @param source the activations
   * @throws IllegalArgumentException if the mask has another number of rows, or keeps none
   * @throws IOException if the mask cannot be read
   */
  public void requireFits(ActivationSource source) throws IOException {
    if (mask.isEmpty()) {
      return;
    }
    RowMask given = mask.get();
    if (given.rows() != source.rows()) {
      throw new IllegalArgumentException(
          "the mask must have one element per row, expected %d, got %d (%s)"
              .formatted(source.rows(), given.rows(), given.file().name()));
    }
    long kept = given.countKept();
    if (kept == 0 && given.rows() > 0) {
      throw new IllegalArgumentException(
          "the mask leaves out all %d rows (%s); 0 leaves a row out, 1 counts it"
              .formatted(given.rows(), given.file().name()));
    }
    if (warns && kept < SMALL_SHARE * given.rows()) {
      LOG.warn(
          "{}: the mask keeps {} of {} rows; 0 leaves a row out, 1 counts it: is it the other way"
              + " round?",
          given.file().name(),
          kept,
          given.rows());
    }
  }

  /**
   * Checks that a run has counted a row, as means and latents of none say nothing.
   *
   * @param rows rows of the source
   * @param maskedRows rows that the mask left out
   * @param nonFiniteRows rows left out because they cannot be encoded
   * @throws IllegalArgumentException if there were rows, and all of them were left out
   */
  public static void requireCounted(long rows, long maskedRows, long nonFiniteRows) {
    if (rows > 0 && maskedRows + nonFiniteRows >= rows) {
      throw new IllegalArgumentException(
          "all %d rows were left out: %d by the mask, %d as they cannot be encoded (NaN or infinite);"
                  .formatted(rows, maskedRows, nonFiniteRows)
              + " check the activations and the mask");
    }
  }

  /**
   * Reads which rows of a batch the mask keeps.
   *
   * @param batch rows of the source
   * @return {@code [rows]}, true where a row counts
   * @throws IOException if the mask cannot be read
   */
  public boolean[] kept(ActivationBatch batch) throws IOException {
    if (mask.isPresent()) {
      return mask.get().read(batch.firstRow(), batch.rows());
    }
    boolean[] all = new boolean[batch.rows()];
    Arrays.fill(all, true);
    return all;
  }

  /**
   * Adds what the result of a run depends on to its settings.
   *
   * @param settings the settings of the run
   * @throws IOException if the mask cannot be read
   */
  public void addTo(ObjectNode settings) throws IOException {
    if (mask.isPresent()) {
      settings.set("mask", mask.get().describe());
    }
  }
}
