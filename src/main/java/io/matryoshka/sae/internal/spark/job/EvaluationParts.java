package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.eval.EvaluationOptions;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.eval.Evaluator;
import io.matryoshka.sae.internal.spark.host.Selections;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The sums of an evaluation.
 *
 * @param batchRows rows of an evaluation batch
 * @param selection as {@link Selections} writes it
 */
public record EvaluationParts(int batchRows, String selection) implements PartKind<Evaluator> {

  static EvaluationParts of(EvaluationOptions options) {
    return new EvaluationParts(options.batchRows(), Selections.write(options.selection()));
  }

  private EvaluationOptions options() {
    return new EvaluationOptions(batchRows, Selections.parse(selection));
  }

  @Override
  public Evaluator compute(JobInput input, long fromRow, long toRow) throws IOException {
    EvaluationRunOptions options =
        EvaluationRunOptions.defaults()
            .evaluation(options())
            .rows(input.rows())
            .progress(done -> Tasks.stopIfKilled());
    return EvaluationRun.part(input.sae(), input.source(), input.target(), options, fromRow, toRow);
  }

  @Override
  public void save(Evaluator part, OutputStream out) throws IOException {
    part.save(out);
  }

  @Override
  public Evaluator load(InputStream in, JobInput input) throws IOException {
    return Evaluator.load(in, input.sae(), options());
  }

  @Override
  public void merge(Evaluator into, Evaluator following) {
    into.merge(following);
  }
}
