package io.matryoshka.sae.internal.spark.source;

import io.matryoshka.sae.internal.spark.store.SourceRef;
import io.matryoshka.sae.stream.ActivationShard;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.Statistics;
import org.apache.spark.sql.connector.read.SupportsReportStatistics;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.apache.spark.util.SerializableConfiguration;

/** The first rows of a source, cut into partitions that may span files. */
public final class ActivationsScan implements Scan, Batch, SupportsReportStatistics {

  private final ActivationSource source;
  private final StructType columns;
  private final long rows;
  private final int rowsPerPartition;

  ActivationsScan(ActivationSource source, StructType columns, long rows, int rowsPerPartition) {
    this.source = source;
    this.columns = columns;
    this.rows = rows;
    this.rowsPerPartition = rowsPerPartition;
  }

  /**
   * A range of rows, with the files that hold it.
   *
   * @param files these files
   * @param filesFirstRow first row of the first of them, within the whole source
   * @param from first row within the whole source
   * @param to the row after the last
   */
  record Range(SourceRef files, long filesFirstRow, long from, long to) implements InputPartition {}

  /**
   * Makes readers on the hosts.
   *
   * @param hadoop how hosts reach files
   * @param columns what is asked for
   */
  record Factory(Broadcast<SerializableConfiguration> hadoop, StructType columns)
      implements PartitionReaderFactory {

    @Override
    public boolean supportColumnarReads(InputPartition partition) {
      return true;
    }

    @Override
    public PartitionReader<ColumnarBatch> createColumnarReader(InputPartition partition) {
      try {
        return new ActivationsReader((Range) partition, columns, hadoop.value().value());
      } catch (IOException e) {
        throw new UncheckedIOException(e.getMessage(), e);
      }
    }

    @Override
    public PartitionReader<InternalRow> createReader(InputPartition partition) {
      throw new UnsupportedOperationException("activations are read in columns");
    }
  }

  @Override
  public StructType readSchema() {
    return columns;
  }

  @Override
  public String description() {
    return "activations [%d, %d] %s"
        .formatted(rows, source.dIn(), Arrays.toString(columns.fieldNames()));
  }

  @Override
  public Batch toBatch() {
    return this;
  }

  @Override
  public InputPartition[] planInputPartitions() {
    List<InputPartition> ranges = new ArrayList<>();
    int next = 0;
    List<ActivationShard> shards = source.shards();
    for (long from = 0; from < rows; from += rowsPerPartition) {
      long to = Math.min(rows, from + rowsPerPartition);
      while (shards.get(next).endRow() <= from) {
        next++;
      }
      int end = next;
      while (end < shards.size() && shards.get(end).firstRow() < to) {
        end++;
      }
      SourceRef files = SourceRef.of(shards.subList(next, end));
      ranges.add(new Range(files, shards.get(next).firstRow(), from, to));
    }
    return ranges.toArray(InputPartition[]::new);
  }

  @Override
  public PartitionReaderFactory createReaderFactory() {
    JavaSparkContext spark =
        JavaSparkContext.fromSparkContext(SparkSession.active().sparkContext());
    return new Factory(
        spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration())), columns);
  }

  /** What Spark needs to choose a join. */
  private record Size(OptionalLong numRows, OptionalLong sizeInBytes) implements Statistics {}

  @Override
  public Statistics estimateStatistics() {
    boolean activations = List.of(columns.fieldNames()).contains(ActivationsTable.ACTIVATION);
    long bytesPerRow = Long.BYTES + (activations ? (long) source.dIn() * Float.BYTES : 0);
    return new Size(OptionalLong.of(rows), OptionalLong.of(rows * bytesPerRow));
  }
}
