package io.matryoshka.sae.eval;

import io.matryoshka.sae.stream.RowRules;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongConsumer;

/** How an {@link EvaluationRun} reads and saves. Immutable; each method returns a changed copy. */
public final class EvaluationRunOptions {

  /** Rows between two checkpoints by default. */
  public static final int DEFAULT_CHECKPOINT_ROWS = 1 << 16;

  private final EvaluationOptions evaluation;
  private final RowRules rows;
  private final Optional<Path> checkpoint;
  private final int checkpointRows;
  private final LongConsumer progress;

  private EvaluationRunOptions(
      EvaluationOptions evaluation,
      RowRules rows,
      Optional<Path> checkpoint,
      int checkpointRows,
      LongConsumer progress) {
    this.evaluation = evaluation;
    this.rows = rows;
    this.checkpoint = checkpoint;
    this.checkpointRows = checkpointRows;
    this.progress = progress;
  }

  /**
   * Returns the defaults: every row counts, one that cannot be encoded stops the run, nothing is
   * saved, nobody is told.
   *
   * @return the defaults
   */
  public static EvaluationRunOptions defaults() {
    return new EvaluationRunOptions(
        EvaluationOptions.defaults(),
        RowRules.all(),
        Optional.empty(),
        DEFAULT_CHECKPOINT_ROWS,
        rows -> {});
  }

  /**
   * Sets the evaluation batch and the selection.
   *
   * @param options the options of the evaluator
   * @return changed options
   */
  public EvaluationRunOptions evaluation(EvaluationOptions options) {
    Objects.requireNonNull(options, "options");
    return new EvaluationRunOptions(options, rows, checkpoint, checkpointRows, progress);
  }

  /**
   * Sets which rows count.
   *
   * @param rows mask, and what happens at a row that cannot be encoded
   * @return changed options
   */
  public EvaluationRunOptions rows(RowRules rows) {
    Objects.requireNonNull(rows, "rows");
    return new EvaluationRunOptions(evaluation, rows, checkpoint, checkpointRows, progress);
  }

  /**
   * Sets the file that keeps what is done, so that a killed run goes on from there. It stays when
   * the run ends, and the same run then reads its result from it.
   *
   * @param file the file, made by the run; its folder exists
   * @return changed options
   */
  public EvaluationRunOptions checkpoint(Path file) {
    return new EvaluationRunOptions(evaluation, rows, Optional.of(file), checkpointRows, progress);
  }

  /**
   * Sets how many rows a killed run loses at most. Rounded up to whole evaluation batches.
   *
   * @param count rows, at least 1
   * @return changed options
   * @throws IllegalArgumentException if {@code count < 1}
   */
  public EvaluationRunOptions checkpointRows(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("checkpoint rows must be at least 1, got " + count);
    }
    return new EvaluationRunOptions(evaluation, this.rows, checkpoint, count, progress);
  }

  /**
   * Sets who is told how far the run is.
   *
   * @param listener takes the rows done so far, on the thread that runs: once at the start, where a
   *     resumed run begins above 0, then after each evaluation batch
   * @return changed options
   */
  public EvaluationRunOptions progress(LongConsumer listener) {
    Objects.requireNonNull(listener, "listener");
    return new EvaluationRunOptions(evaluation, rows, checkpoint, checkpointRows, listener);
  }

  EvaluationRunOptions withoutCheckpoint() {
    return new EvaluationRunOptions(evaluation, rows, Optional.empty(), checkpointRows, progress);
  }

  /**
   * Returns evaluation batch and selection.
   *
   * @return as set
   */
  public EvaluationOptions evaluation() {
    return evaluation;
  }

  /**
   * Returns which rows count.
   *
   * @return as set
   */
  public RowRules rows() {
    return rows;
  }

  Optional<Path> checkpoint() {
    return checkpoint;
  }

  int checkpointRows() {
    return checkpointRows;
  }

  LongConsumer progress() {
    return progress;
  }
}
