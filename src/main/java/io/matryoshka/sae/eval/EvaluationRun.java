package io.matryoshka.sae.eval;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.stream.ActivationBatch;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.NonFiniteRows;
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
  private final EvaluationRunOptions options;
  private final Optional<EvaluationCheckpoint> file;
  private final ObjectNode settings;
  private final NonFiniteRows nonFinite;
  private final List<Fault> noted = new ArrayList<>();

  /** A row that is left out, until it is reported. */
  private record Fault(long row, String text) {}

  private EvaluationRun(SAE sae, ActivationSource source, EvaluationRunOptions options)
      throws IOException {
    this.sae = sae;
    this.source = source;
    this.options = options;
    file = options.checkpoint().map(EvaluationCheckpoint::new);
    settings = settings();
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
    if (source.dIn() != sae.dIn()) {
      throw new IllegalArgumentException(
          "evaluate: the activations have width %d, the SAE has d_in = %d; check that they come from its hook point"
              .formatted(source.dIn(), sae.dIn()));
    }
    options.rows().requireFits(source);
    return new EvaluationRun(sae, source, options).run();
  }

  private Evaluation run() throws IOException {
    int[] widths = Levels.of(sae).toArray();
    Totals totals = file.isPresent() ? saved(file.get(), widths) : new Totals(widths, sae.dIn());
    Evaluator evaluator = Evaluator.resume(sae, options.evaluation(), totals, this::note);
    long done = totals.rowsDone();
    options.progress().accept(done);
    long savedAt = done;
    try (ActivationBatches batches = source.batches(options.evaluation().batchRows(), done)) {
      while (batches.hasNext()) {
        ActivationBatch batch = batches.next();
        evaluator.add(FloatBuffer.wrap(batch.values()), batch.rows(), options.rows().kept(batch));
        done += batch.rows();
        if (done == source.rows()) {
          evaluator.endBatch();
        }
        report();
        if (done - savedAt >= options.checkpointRows() || done == source.rows()) {
          save(totals);
          savedAt = done;
        }
        options.progress().accept(done);
      }
    }
    return evaluator.result();
  }

  /** What an earlier run has done: whole evaluation batches, or everything. */
  private Totals saved(EvaluationCheckpoint state, int[] widths) throws IOException {
    Totals totals =
        state.read(settings, widths, sae.dIn()).orElseGet(() -> new Totals(widths, sae.dIn()));
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
    options.rows().addTo(json);
    return json;
  }
}
