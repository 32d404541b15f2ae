package io.matryoshka.sae.internal.spark.source;

import io.matryoshka.sae.stream.ActivationSource;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.SupportsPushDownLimit;
import org.apache.spark.sql.connector.read.SupportsPushDownRequiredColumns;
import org.apache.spark.sql.types.StructType;

/** Takes note of what a query needs. */
public final class ActivationsScanBuilder
    implements SupportsPushDownRequiredColumns, SupportsPushDownLimit {

  private final ActivationSource source;
  private final int rowsPerPartition;
  private StructType columns = ActivationsTable.SCHEMA;
  private long rows;

  ActivationsScanBuilder(ActivationSource source, int rowsPerPartition) {
    this.source = source;
    this.rowsPerPartition = rowsPerPartition;
    this.rows = source.rows();
  }

  @Override
  public void pruneColumns(StructType required) {
    columns = required;
  }

  @Override
  public boolean pushLimit(int limit) {
    rows = Math.min(rows, limit);
    return true;
  }

  /** The first rows are all that is read, in as many partitions as hold them. */
  @Override
  public boolean isPartiallyPushed() {
    return true;
  }

  @Override
  public Scan build() {
    return new ActivationsScan(source, columns, rows, rowsPerPartition);
  }
}
