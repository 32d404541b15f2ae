package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.explore.ExplorationPart;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/**
 * Contexts, histograms and pairs of an exploration; the latents described are chosen later.
 *
 * @param contexts strongest tokens kept for each latent
 * @param reach tokens of context on each side of them
 * @param relatives as {@link ExplorerOptions#relatives}
 * @param minBoth as {@link ExplorerOptions#minBoth}
 * @param maxPairs pairs of latents counted at a time
 * @param batchRows rows encoded at a time
 */
public record ExplorationParts(
    int contexts, int reach, int relatives, int minBoth, int maxPairs, int batchRows)
    implements PartKind<ExplorationPart> {

  static ExplorationParts of(ExplorerOptions options) {
    return new ExplorationParts(
        options.contexts(),
        options.reach(),
        options.relatives(),
        options.minBoth(),
        options.maxPairs(),
        options.rowsPerBatch());
  }

  private ExplorerOptions options(RowRules rows) {
    return new ExplorerOptions(
        List.of(), contexts, reach, relatives, minBoth, maxPairs, batchRows, rows, true);
  }

  @Override
  public ExplorationPart compute(JobInput input, long fromRow, long toRow) throws IOException {
    return new Explorer(input.sae(), (task, done, total) -> Tasks.stopIfKilled())
        .part(input.source(), options(input.rows()), fromRow, toRow);
  }

  @Override
  public void save(ExplorationPart part, OutputStream out) throws IOException {
    part.save(out);
  }

  @Override
  public ExplorationPart load(InputStream in, JobInput input) throws IOException {
    return ExplorationPart.load(in, input.sae(), options(input.rows()));
  }

  @Override
  public void merge(ExplorationPart into, ExplorationPart following) {
    into.merge(following);
  }
}
