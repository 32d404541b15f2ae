package io.matryoshka.sae.internal.spark.job;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Looks at ranges of rows on the hosts and joins what is kept of them, in the order of the rows:
 * some neighbours at a time on the hosts, level by level, and the last few on the driver. So the
 * driver never holds many, and equal ranges give equal bits.
 *
 * @param <T> what is kept of a range
 */
public final class RangeJob<T> {

  /** Parts that are joined at a time. */
  static final int FAN_IN = 8;

  /** What is kept of a range may be 70 MB, so ranges of a large source are long. */
  private static final long MAX_RANGE_ROWS = 1 << 19;

  private static final int RANGES_PER_SLOT = 3;

  private static final String INDEX = "index";
  private static final StructType PARTS =
      new StructType()
          .add(INDEX, DataTypes.IntegerType, false)
          .add("part", DataTypes.BinaryType, false);

  private final JavaSparkContext spark;
  private final PartKind<T> kind;

  RangeJob(JavaSparkContext spark, PartKind<T> kind) {
    this.spark = spark;
    this.kind = kind;
  }

  /** Rows of a range: whole batches, and enough ranges for all cores where there are few rows. */
  static long rangeRows(long rows, int batchRows, int slots) {
    long wanted = Math.min(MAX_RANGE_ROWS, rows / ((long) RANGES_PER_SLOT * slots) + 1);
    return (wanted + batchRows - 1) / batchRows * batchRows;
  }

  /** Runs the job; a source without rows gives what is kept of none. */
  T run(JobInput input, String what, long rows) throws IOException {
    long perRange = rangeRows(rows, kind.batchRows(), spark.defaultParallelism());
    List<RowRange> ranges = new ArrayList<>();
    for (long from = 0; from < rows; from += perRange) {
      ranges.add(new RowRange(ranges.size(), from, Math.min(rows, from + perRange)));
    }
    if (ranges.isEmpty()) {
      return kind.compute(input, 0, 0);
    }
    Broadcast<JobInput> broadcast = spark.broadcast(input);
    try {
      return join(JobGuard.run(spark, what, () -> parts(ranges, broadcast)), input);
    } finally {
      broadcast.destroy();
    }
  }

  private List<Row> parts(List<RowRange> ranges, Broadcast<JobInput> input) {
    SparkSession session = SparkSession.builder().getOrCreate();
    Dataset<Row> parts =
        session.createDataFrame(
            spark.parallelize(ranges, ranges.size()).map(new RangeTask<>(kind, input)), PARTS);
    int count = ranges.size();
    while (count > FAN_IN) {
      count = (count + FAN_IN - 1) / FAN_IN;
      parts =
          parts
              .repartition(count, functions.expr("int(index / %d)".formatted(FAN_IN)))
              .sortWithinPartitions(INDEX)
              .mapPartitions(new JoinTask<>(kind, input), Encoders.row(PARTS));
    }
    return parts.orderBy(INDEX).collectAsList();
  }

  private T join(List<Row> parts, JobInput input) throws IOException {
    T all = kind.part(parts.get(0).getAs(1), input);
    for (Row part : parts.subList(1, parts.size())) {
      kind.merge(all, kind.part(part.getAs(1), input));
    }
    return all;
  }
}
