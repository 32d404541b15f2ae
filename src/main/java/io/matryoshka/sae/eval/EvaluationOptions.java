package io.matryoshka.sae.eval;

import io.matryoshka.sae.Selection;
import java.util.Objects;
import java.util.Optional;

/**
 * How an SAE is evaluated.
 *
 * @param batchRows rows of an evaluation batch, at least 1: batch {@code b} holds the rows at
 *     positions {@code b * batchRows} to {@code (b + 1) * batchRows - 1} of the whole stream,
 *     masked ones included, however the caller splits it. Only the metrics that are defined per
 *     batch depend on it, and batch top-k
 * @param selection which pre-activations become active; empty for the SAE's default
 */
public record EvaluationOptions(int batchRows, Optional<Selection> selection) {

  /** Rows of an evaluation batch by default: 16 prompts of 128 tokens, as SAEBench has it. */
  public static final int DEFAULT_BATCH_ROWS = 2048;

  /**
   * Checks the parts.
   *
   * @param batchRows rows of an evaluation batch
   * @param selection which pre-activations become active, if not the default
   * @throws IllegalArgumentException if {@code batchRows < 1}
   */
  public EvaluationOptions {
    if (batchRows < 1) {
      throw new IllegalArgumentException("batch rows must be at least 1, got " + batchRows);
    }
    Objects.requireNonNull(selection, "selection");
  }

  /**
   * Returns the defaults: batches of {@value #DEFAULT_BATCH_ROWS} rows, the SAE's selection.
   *
   * @return the defaults
   */
  public static EvaluationOptions defaults() {
    return new EvaluationOptions(DEFAULT_BATCH_ROWS, Optional.empty());
  }

  /**
   * Sets the rows of an evaluation batch.
   *
   * @param rows at least 1
   * @return changed options
   */
  public EvaluationOptions batchRows(int rows) {
    return new EvaluationOptions(rows, selection);
  }

  /**
   * Sets which pre-activations become active.
   *
   * @param rule the selection
   * @return changed options
   */
  public EvaluationOptions selection(Selection rule) {
    return new EvaluationOptions(batchRows, Optional.of(rule));
  }
}
