package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.EvaluationHints;
import io.matryoshka.sae.eval.Evaluator;
import io.matryoshka.sae.explore.Tokens;
import io.matryoshka.sae.stream.ActivationBatch;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.BatchEncoder;
import io.matryoshka.sae.stream.EncodedBatch;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Reads some rows with an SAE, keeps their strongest latents, and measures the first of them: their
 * figures tell whether something is likely wrong.
 */
final class TopRows {

  private static final int BATCH_ROWS = 1024;

  private final SAE sae;
  private final IntRange rows;
  private final RowRules rules;
  private final Evaluator evaluator;

  TopRows(SAE sae, IntRange rows, RowRules rules) {
    this.sae = sae;
    this.rows = rows;
    this.rules = rules;
    evaluator = Evaluator.of(sae);
  }

  /**
   * Reads the rows.
   *
   * @param perLevel latents to keep for each level
   */
  TokenLatents read(ActivationSource source, Optional<Tokens> tokens, int perLevel, Output output)
      throws IOException {
    if (rows.first() >= source.rows()) {
      throw new IllegalArgumentException(
          "--rows: expected rows below %s, got %s".formatted(source.rows(), rows));
    }
    TokenLatents latents = new TokenLatents(Levels.of(sae), perLevel, tokens.isPresent());
    BatchEncoder encoder = new BatchEncoder(sae, source, Optional.empty(), rules);
    int end = (int) Math.min(source.rows(), rows.last() + 1L);
    int batchRows = Math.min(BATCH_ROWS, end - rows.first());
    long masked = 0;
    long nonFinite = 0;
    try (ActivationBatches batches = source.batches(batchRows, rows.first());
        Progress progress = output.progress("top", "tokens", end)) {
      for (int first = rows.first(); first < end; first += batchRows) {
        ActivationBatch batch = batches.next().first(Math.min(batchRows, end - first));
        EncodedBatch encoded = encoder.encode(batch);
        add(encoded, tokens, latents);
        masked += encoded.masked().cardinality();
        nonFinite += encoded.nonFinite().cardinality();
        if (first - rows.first() < BATCH_ROWS && !sae.isTranscoder()) {
          evaluator.add(FloatBuffer.wrap(batch.values()), batch.rows(), encoded.counted());
        }
        progress.stepTo(encoded.endRow());
      }
    }
    RowRules.requireCounted(end - rows.first(), masked, nonFinite);
    return latents;
  }

  /** What is likely wrong with the rows; nothing where outputs cannot be compared with inputs. */
  List<String> hints(OptionalInt trainingK) {
    return sae.isTranscoder()
        ? List.of()
        : EvaluationHints.of(evaluator.result(), sae.config(), trainingK);
  }

  private static void add(EncodedBatch encoded, Optional<Tokens> tokens, TokenLatents latents) {
    SparseLatents all = encoded.allRows();
    boolean[] counted = encoded.counted();
    for (int r = 0; r < encoded.rows(); r++) {
      int row = (int) encoded.firstRow() + r;
      if (counted[r]) {
        latents.add(row, tokens.map(t -> t.text(row)).orElse(""), all, r);
      }
    }
  }
}
