package io.matryoshka.sae.internal.spark.job;

import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * Looks at a range of rows.
 *
 * @param <T> what is kept of it
 */
public final class RangeTask<T> implements Function<RowRange, Row> {

  private static final long serialVersionUID = 1;

  private final PartKind<T> kind;
  private final Broadcast<JobInput> input;

  RangeTask(PartKind<T> kind, Broadcast<JobInput> input) {
    this.kind = kind;
    this.input = input;
  }

  @Override
  public Row call(RowRange range) throws Exception {
    return Tasks.run(
        () -> {
          T part = kind.compute(input.value(), range.from(), range.to());
          return RowFactory.create(range.index(), kind.bytes(part));
        });
  }
}
