package io.matryoshka.sae.internal.spark.job;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * Joins neighbouring parts, which come in order; two of them are in memory at a time.
 *
 * @param <T> what is kept of a range
 */
public final class JoinTask<T> implements MapPartitionsFunction<Row, Row> {

  private static final long serialVersionUID = 1;

  private final PartKind<T> kind;
  private final Broadcast<JobInput> input;

  JoinTask(PartKind<T> kind, Broadcast<JobInput> input) {
    this.kind = kind;
    this.input = input;
  }

  @Override
  public Iterator<Row> call(Iterator<Row> parts) throws Exception {
    return Tasks.run(() -> join(parts)).iterator();
  }

  /** A partition holds some groups of neighbours, each of them whole. */
  private List<Row> join(Iterator<Row> parts) throws Exception {
    List<Row> joined = new ArrayList<>();
    Optional<T> current = Optional.empty();
    int group = -1;
    while (parts.hasNext()) {
      Row row = parts.next();
      int itsGroup = row.getInt(0) / RangeJob.FAN_IN;
      T part = kind.part(row.getAs(1), input.value());
      if (itsGroup == group) {
        kind.merge(current.orElseThrow(), part);
        continue;
      }
      if (current.isPresent()) {
        joined.add(RowFactory.create(group, kind.bytes(current.get())));
      }
      current = Optional.of(part);
      group = itsGroup;
    }
    if (current.isPresent()) {
      joined.add(RowFactory.create(group, kind.bytes(current.get())));
    }
    return joined;
  }
}
