package io.matryoshka.sae.internal.spark.source;

import io.matryoshka.sae.stream.ActivationBatch;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.ActivationShard;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.apache.spark.unsafe.types.UTF8String;

/** Reads a range of rows in batches. Where no activations are asked for, no file is opened. */
public final class ActivationsReader implements PartitionReader<ColumnarBatch> {

  private static final int ROWS_PER_BATCH = 1024;

  private final ActivationSource source;
  private final ActivationsScan.Range range;
  private final StructType columns;
  private final Optional<ActivationBatches> batches;
  private long next;
  private ColumnarBatch current;

  ActivationsReader(ActivationsScan.Range range, StructType columns, Configuration hadoop)
      throws IOException {
    this.source = range.files().open(hadoop);
    this.range = range;
    this.columns = columns;
    this.next = range.from();
    boolean reads = List.of(columns.fieldNames()).contains(ActivationsTable.ACTIVATION);
    this.batches =
        reads
            ? Optional.of(source.batches(ROWS_PER_BATCH, local(range.from()), local(range.to())))
            : Optional.empty();
  }

  private long local(long row) {
    return row - range.filesFirstRow();
  }

  @Override
  public boolean next() throws IOException {
    if (next >= range.to()) {
      return false;
    }
    int rows = (int) Math.min(ROWS_PER_BATCH, range.to() - next);
    float[] values = new float[0];
    if (batches.isPresent()) {
      ActivationBatch batch = batches.get().next();
      rows = batch.rows();
      values = batch.values();
    }
    current = new ColumnarBatch(vectors(next, values), rows);
    next += rows;
    return true;
  }

  private ColumnVector[] vectors(long firstRow, float[] values) {
    StructField[] fields = columns.fields();
    ColumnVector[] vectors = new ColumnVector[fields.length];
    for (int i = 0; i < fields.length; i++) {
      vectors[i] =
          switch (fields[i].name()) {
            case ActivationsTable.ROW -> new PlainVectors.Longs(row -> firstRow + row);
            case ActivationsTable.ACTIVATION -> new PlainVectors.FloatRows(values, source.dIn());
            case ActivationsTable.FILE ->
                new PlainVectors.Texts(
                    row -> UTF8String.fromString(shardOf(firstRow + row).file().name()));
            case ActivationsTable.FILE_ROW ->
                new PlainVectors.Longs(
                    row -> local(firstRow + row) - shardOf(firstRow + row).firstRow());
            default -> throw new IllegalArgumentException("there is no column " + fields[i].name());
          };
    }
    return vectors;
  }

  private ActivationShard shardOf(long row) {
    return source.shardOf(local(row));
  }

  @Override
  public ColumnarBatch get() {
    return current;
  }

  @Override
  public void close() throws IOException {
    if (batches.isPresent()) {
      batches.get().close();
    }
  }
}
