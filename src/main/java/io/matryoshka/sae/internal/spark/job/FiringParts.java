package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.explore.FiringCounter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * How often and how strongly each latent fires.
 *
 * @param batchRows rows encoded at a time
 */
record FiringParts(int batchRows) implements PartKind<FiringCounter> {

  @Override
  public FiringCounter compute(JobInput input, long fromRow, long toRow) throws IOException {
    return new Explorer(input.sae(), (task, done, total) -> Tasks.stopIfKilled())
        .countPart(input.source(), ExplorerOptions.defaults().rows(input.rows()), fromRow, toRow);
  }

  @Override
  public void save(FiringCounter part, OutputStream out) throws IOException {
    part.save(out);
  }

  @Override
  public FiringCounter load(InputStream in, JobInput input) throws IOException {
    FiringCounter part = new FiringCounter(input.sae().dSae());
    part.mergeFrom(in);
    return part;
  }

  @Override
  public void merge(FiringCounter into, FiringCounter following) {
    into.merge(following.statistics());
  }
}
