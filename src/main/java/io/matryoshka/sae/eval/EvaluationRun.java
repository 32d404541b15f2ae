package io.matryoshka.sae.eval;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.stream.ActivationBatch;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.NonFiniteRows;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.RunSettings;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Evaluates an SAE on files of activations of any size, with bounded memory: two evaluation batches
 * beside what {@link Evaluator} holds. With a checkpoint a run that was killed goes on where it was
 * saved last, and its result equals that of a run in one piece to the last bit.
 */
public final class EvaluationRun {

  private final SAE sae;
  private final ActivationSource source;

  /** What reconstructions should be; the source itself but for a transcoder. */
  private final ActivationSource target;

  private final EvaluationRunOptions options;
  private final Optional<EvaluationCheckpoint> file;

  /** What a checkpoint belongs to; empty without one, as it reads every file. */
  private final ObjectNode settings;

  private final NonFiniteRows nonFinite;
  private final List<Fault> noted = new ArrayList<>();

  /** A row that is left out, until it is reported. */
  private record Fault(long row, String text) {}

  private EvaluationRun(
      SAE sae, ActivationSource source, ActivationSource target, EvaluationRunOptions options)
      throws IOException {
    this.sae = sae;
    this.source = source;
    this.target = target;
    this.options = options;
    file = options.checkpoint().map(EvaluationCheckpoint::new);
    settings = file.isPresent() ? settings() : JsonNodeFactory.instance.objectNode();
    nonFinite = new NonFiniteRows(source, options.rows());
  }

  /**
   * Evaluates all rows of a source.
   *
   * @param sae the SAE
   * @param source activations of its width
   * @param options mask, checkpoint and progress
   * @return the metrics
   * @throws io.matryoshka.sae.stream.ActivationException if a row that cannot be encoded stops it
   * @throws IllegalArgumentException if source or mask do not fit
   * @throws EvaluationException if the checkpoint is malformed or belongs to another SAE, source,
   *     mask or options
   * @throws IOException if a file cannot be read or the checkpoint cannot be written
   */
  public static Evaluation run(SAE sae, ActivationSource source, EvaluationRunOptions options)
      throws IOException {
    requireNoTarget(sae);
    return run(sae, source, source, options);
  }

  /**
   * Evaluates all rows of a source against other activations of the same tokens, as for a
   * transcoder.
   *
   * @param sae the SAE or transcoder
   * @param source what it reads, {@code d_in} wide
   * @param target what it should give, {@code d_out} wide, row for row
   * @param options mask, checkpoint and progress
   * @return the metrics
   * @throws IllegalArgumentException if the sources or the mask do not fit
   * @throws EvaluationException if the checkpoint is malformed or belongs to another run
   * @throws IOException if a file cannot be read or the checkpoint cannot be written
   */
  public static Evaluation run(
      SAE sae, ActivationSource source, ActivationSource target, EvaluationRunOptions options)
      throws IOException {
    requireFits(sae, source, target, options);
    return new EvaluationRun(sae, source, target, options).run();
  }

  private static void requireNoTarget(SAE sae) {
    if (sae.isTranscoder()) {
      throw new IllegalArgumentException(
          "evaluate: a transcoder is compared with the activations of its output%s; give them, too (--target)"
              .formatted(sae.hookPointOut().map(hook -> ", " + hook).orElse("")));
    }
  }

  private static void requireFits(
      SAE sae, ActivationSource source, ActivationSource target, EvaluationRunOptions options)
      throws IOException {
    if (target != source && (!sae.isTranscoder() || target.rows() != source.rows())) {
      throw new IllegalArgumentException(
          sae.isTranscoder()
              ? "evaluate: input and target must have as many rows, got %d and %d"
                  .formatted(source.rows(), target.rows())
              : "evaluate: an SAE is compared with what it reads; a target is for transcoders");
    }
    if (source.dIn() != sae.dIn()) {
      throw new IllegalArgumentException(
          "evaluate: the activations have width %d, the SAE has d_in = %d; check that they come from its hook point"
              .formatted(source.dIn(), sae.dIn()));
    }
    if (target.dIn() != sae.dOut()) {
      throw new IllegalArgumentException(
          "evaluate: the target has width %d, the output has d_out = %d"
              .formatted(target.dIn(), sae.dOut()));
    }
    options.rows().requireFits(source);
  }

  /**
   * Evaluates the rows of a range, as a part of a run over all rows of a source. The parts of all
   * ranges, {@linkplain Evaluator#merge merged}, give the figures of {@link #run}. The checkpoint
   * is not used.
   *
   * @param sae the SAE
   * @param source what it reads, {@code d_in} wide
   * @param target what it should give, row for row: {@code source} itself but for a transcoder
   * @param options mask and progress
   * @param fromRow index of the first row, a multiple of the rows of an evaluation batch
   * @param toRow index of the row after the last, another multiple or the end of the source
   * @return what is kept of the rows
   * @throws IllegalArgumentException if the sources, the mask or the range do not fit
   * @throws IOException if a file cannot be read, or a row that cannot be encoded stops it
   */
  public static Evaluator part(
      SAE sae,
      ActivationSource source,
      ActivationSource target,
      EvaluationRunOptions options,
      long fromRow,
      long toRow)
      throws IOException {
    if (target == source) {
      requireNoTarget(sae);
    }
    requireFits(sae, source, target, options);
    source.requireBatches(options.evaluation().batchRows(), fromRow, toRow);
    EvaluationRunOptions unsaved = options.withoutCheckpoint();
    Totals totals = new Totals(Levels.of(sae).toArray(), sae.dOut());
    return new EvaluationRun(sae, source, target, unsaved).add(totals, fromRow, toRow);
  }

  private Evaluation run() throws IOException {
    int[] widths = Levels.of(sae).toArray();
    Totals totals = file.isPresent() ? saved(file.get(), widths) : new Totals(widths, sae.dOut());
    Evaluator evaluator = add(totals, totals.rowsDone(), source.rows());
    RowRules.requireCounted(source.rows(), totals.maskedRows, totals.nonFiniteRows);
    return evaluator.result();
  }

  /** Adds the rows of a range to totals. */
  private Evaluator add(Totals totals, long fromRow, long toRow) throws IOException {
    long offset = fromRow - totals.rowsDone();
    Evaluator evaluator =
        Evaluator.resume(
            sae, options.evaluation(), totals, (row, fault) -> note(offset + row, fault));
    long done = fromRow;
    options.progress().accept(done);
    long savedAt = done;
    int batchRows = options.evaluation().batchRows();
    boolean same = target == source;
    try (ActivationBatches batches = source.batches(batchRows, fromRow, toRow);
        ActivationBatches targets = same ? batches : target.batches(batchRows, fromRow, toRow)) {
      while (batches.hasNext()) {
        ActivationBatch batch = batches.next();
        FloatBuffer x = FloatBuffer.wrap(batch.values());
        FloatBuffer y = same ? x : FloatBuffer.wrap(targets.next().values());
        evaluator.add(x, y, batch.rows(), options.rows().kept(batch));
        done += batch.rows();
        if (done == toRow) {
          evaluator.endBatch();
        }
        report();
        if (done - savedAt >= options.checkpointRows() || done == toRow) {
          save(totals);
          savedAt = done;
        }
        options.progress().accept(done);
      }
    }
    return evaluator;
  }

  /** What an earlier run has done: whole evaluation batches, or everything. */
  private Totals saved(EvaluationCheckpoint state, int[] widths) throws IOException {
    Totals totals =
        state.read(settings, widths, sae.dOut()).orElseGet(() -> new Totals(widths, sae.dOut()));
    long done = totals.rowsDone();
    if (done < 0
        || done > source.rows()
        || (done < source.rows() && done % options.evaluation().batchRows() != 0)) {
      throw state.malformed("whole evaluation batches, got " + done + " rows", null);
    }
    return totals;
  }

  private void note(long row, String fault) {
    noted.add(new Fault(row, fault));
  }

  /** Stops at the rows noted since the last call, or counts them. */
  private void report() throws IOException {
    for (Fault fault : noted) {
      nonFinite.add(fault.row(), fault.text());
    }
    noted.clear();
  }

  private void save(Totals totals) throws IOException {
    if (file.isPresent()) {
      file.get().write(settings, totals);
    }
  }

  private ObjectNode settings() throws IOException {
    ObjectNode json = Evaluator.settings(sae, options.evaluation());
    json.set("source", RunSettings.describe(source));
    if (target != source) {
      json.set("target", RunSettings.describe(target));
    }
    options.rows().addTo(json);
    return json;
  }
}
