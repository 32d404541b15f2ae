package io.matryoshka.sae.eval;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.stream.ActivationBatch;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * One SAE on a stream of rows that come in pieces. Between two pieces it is closed, and what was
 * counted lies in a file.
 */
final class SaeStream {

  private final TextEvaluationRun.Candidate candidate;
  private final BitSet leftOut;
  private final Path state;
  private Optional<Evaluation> result = Optional.empty();

  SaeStream(TextEvaluationRun.Candidate candidate, BitSet leftOut, Path state) {
    this.candidate = candidate;
    this.leftOut = leftOut;
    this.state = state;
  }

  HookPoint hookPoint() {
    return candidate.hookPoint();
  }

  /** The metrics, once the last rows were added. */
  Evaluation result() {
    return result.orElseThrow();
  }

  /**
   * Adds the next rows.
   *
   * @param files hold them
   * @param from the first row, at the begin of an evaluation batch
   * @param to the row after the last, at the end of an evaluation batch if more rows follow
   * @param isLast whether no rows follow
   * @param options batch and selection
   * @param progress is told the row that was reached
   */
  void add(
      ActivationFilesInUse files,
      long from,
      long to,
      boolean isLast,
      EvaluationOptions options,
      LongConsumer progress)
      throws IOException {
    try (SAE sae = candidate.opener().open()) {
      Evaluator evaluator =
          Files.exists(state) ? Evaluator.load(state, sae, options) : Evaluator.of(sae, options);
      ActivationSource source =
          ActivationSource.open(
              files.paths(), SourceOptions.of(sae).tensor(candidate.hookPoint().toString()));
      int batchRows = options.batchRows();
      try (ActivationBatches batches = source.batches(batchRows, from - files.first())) {
        for (long row = from; row < to; row += batchRows) {
          ActivationBatch batch = batches.next().first((int) Math.min(batchRows, to - row));
          evaluator.add(FloatBuffer.wrap(batch.values()), batch.rows(), counted(row, batch.rows()));
          progress.accept(row + batch.rows());
        }
      }
      if (isLast) {
        result = Optional.of(evaluator.result());
      } else {
        evaluator.save(state);
      }
    }
  }

  private boolean[] counted(long first, int rows) {
    boolean[] counted = new boolean[rows];
    for (int i = 0; i < rows; i++) {
      counted[i] = !leftOut.get(Math.toIntExact(first + i));
    }
    return counted;
  }
}
