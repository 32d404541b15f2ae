package io.matryoshka.sae.stream;

import io.matryoshka.sae.Selection;
import java.util.Objects;
import java.util.Optional;

/** How a run encodes and stores. Immutable; each method returns a changed copy. */
public final class EncodeOptions {

  private static final EncodeOptions DEFAULTS =
      new EncodeOptions(
          Optional.empty(), "", 1024, 1 << 16, false, RowRules.all(), EncodeProgress.NONE);

  private final Optional<Selection> selection;
  private final String saeName;
  private final int batchRows;
  private final int rowsPerShard;
  private final boolean restart;
  private final RowRules rows;
  private final EncodeProgress progress;

  private EncodeOptions(
      Optional<Selection> selection,
      String saeName,
      int batchRows,
      int rowsPerShard,
      boolean restart,
      RowRules rows,
      EncodeProgress progress) {
    this.selection = selection;
    this.saeName = saeName;
    this.batchRows = batchRows;
    this.rowsPerShard = rowsPerShard;
    this.restart = restart;
    this.rows = rows;
    this.progress = progress;
  }

  /**
   * Returns the defaults: the SAE's own selection, batches of 1024 rows, 65536 rows to a shard,
   * resume where a run stopped, stop at a row with a NaN or an infinity.
   *
   * @return the defaults
   */
  public static EncodeOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Sets which pre-activations become active, instead of the SAE's default.
   *
   * @param selection the rule
   * @return changed options
   */
  public EncodeOptions selection(Selection selection) {
    return new EncodeOptions(
        Optional.of(selection), saeName, batchRows, rowsPerShard, restart, rows, progress);
  }

  /**
   * Sets the name of the SAE that the index gives, such as its release and id.
   *
   * @param saeName the name, empty for none
   * @return changed options
   */
  public EncodeOptions saeName(String saeName) {
    Objects.requireNonNull(saeName, "saeName");
    return new EncodeOptions(selection, saeName, batchRows, rowsPerShard, restart, rows, progress);
  }

  /**
   * Sets the number of rows that are encoded together. The latents do not depend on it, but for
   * {@link Selection#batchTopK}: there it is the batch, counted from row 0 of the source.
   *
   * @param batchRows rows, at least 1
   * @return changed options
   */
  public EncodeOptions batchRows(int batchRows) {
    return new EncodeOptions(
        selection,
        saeName,
        positive("batch rows", batchRows),
        rowsPerShard,
        restart,
        rows,
        progress);
  }

  /**
   * Sets the number of rows in every output file but the last. A run that is interrupted loses at
   * most the work on one of them.
   *
   * @param rowsPerShard rows, at least 1
   * @return changed options
   */
  public EncodeOptions rowsPerShard(int rowsPerShard) {
    return new EncodeOptions(
        selection,
        saeName,
        batchRows,
        positive("rows per shard", rowsPerShard),
        restart,
        rows,
        progress);
  }

  /**
   * Sets whether the files of an earlier run in the folder are deleted first.
   *
   * @param restart true to begin again, false to resume
   * @return changed options
   */
  public EncodeOptions restart(boolean restart) {
    return new EncodeOptions(selection, saeName, batchRows, rowsPerShard, restart, rows, progress);
  }

  /**
   * Sets which rows are encoded. A row that is left out is stored without latents, so that the
   * others keep their numbers.
   *
   * @param rows mask, and what happens at a row that cannot be encoded
   * @return changed options
   */
  public EncodeOptions rows(RowRules rows) {
    Objects.requireNonNull(rows, "rows");
    return new EncodeOptions(selection, saeName, batchRows, rowsPerShard, restart, rows, progress);
  }

  /**
   * Sets who is told of progress.
   *
   * @param progress called once per batch
   * @return changed options
   */
  public EncodeOptions progress(EncodeProgress progress) {
    Objects.requireNonNull(progress, "progress");
    return new EncodeOptions(selection, saeName, batchRows, rowsPerShard, restart, rows, progress);
  }

  private static int positive(String what, int number) {
    if (number < 1) {
      throw new IllegalArgumentException("%s must be at least 1, got %s".formatted(what, number));
    }
    return number;
  }

  /**
   * Returns which pre-activations become active; empty for the SAE's own rule.
   *
   * @return as set
   */
  public Optional<Selection> selection() {
    return selection;
  }

  /**
   * Returns the name of the SAE in the index.
   *
   * @return as set
   */
  public String saeName() {
    return saeName;
  }

  /**
   * Returns how many rows are encoded together.
   *
   * @return as set
   */
  public int batchRows() {
    return batchRows;
  }

  /**
   * Returns how many rows a file has.
   *
   * @return as set
   */
  public int rowsPerShard() {
    return rowsPerShard;
  }

  /**
   * Returns whether files of an earlier run are deleted.
   *
   * @return as set
   */
  public boolean restart() {
    return restart;
  }

  /**
   * Returns which rows count.
   *
   * @return as set
   */
  public RowRules rows() {
    return rows;
  }

  EncodeProgress progress() {
    return progress;
  }
}
