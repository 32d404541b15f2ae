package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.eval.EvaluationOptions;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options that figures of an evaluation depend on. */
final class MetricsMixin {

  @ArgGroup private SelectionGroup selection;

  @Option(
      names = "--batch",
      paramLabel = "ROWS",
      defaultValue = "" + EvaluationOptions.DEFAULT_BATCH_ROWS,
      description =
          "Rows of an evaluation batch, for metrics that are defined per batch; default:"
              + " ${DEFAULT-VALUE}.")
  private int batchRows;

  /** Whether another selection than the SAE's own was given. */
  boolean hasSelection() {
    return selection != null;
  }

  EvaluationOptions options() {
    EvaluationOptions options = EvaluationOptions.defaults().batchRows(batchRows);
    return selection == null ? options : options.selection(selection.selection());
  }
}
