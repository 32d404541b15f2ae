package io.matryoshka.sae.internal.spark.source;

import io.matryoshka.sae.stream.ActivationSource;
import java.util.Set;
import org.apache.spark.sql.connector.catalog.MetadataColumn;
import org.apache.spark.sql.connector.catalog.SupportsMetadataColumns;
import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** The rows of a source as a table that can be read. */
public final class ActivationsTable implements SupportsRead, SupportsMetadataColumns {

  static final String ROW = "row";
  static final String ACTIVATION = "activation";
  static final String FILE = "_file";
  static final String FILE_ROW = "_file_row";

  public static final StructType SCHEMA =
      new StructType()
          .add(ROW, DataTypes.LongType, false)
          .add(ACTIVATION, DataTypes.createArrayType(DataTypes.FloatType, false), false);

  private static final String ROWS_PER_PARTITION = "rowsPerPartition";
  private static final int DEFAULT_ROWS_PER_PARTITION = 1 << 16;

  private final ActivationSource source;
  private final int rowsPerPartition;

  /** A column that is read only when it is named. */
  private record Hidden(String name, DataType dataType) implements MetadataColumn {
    @Override
    public boolean isNullable() {
      return false;
    }
  }

  public ActivationsTable(ActivationSource source, CaseInsensitiveStringMap options) {
    this.source = source;
    this.rowsPerPartition = options.getInt(ROWS_PER_PARTITION, DEFAULT_ROWS_PER_PARTITION);
    if (rowsPerPartition < 1) {
      throw new IllegalArgumentException(
          "option %s: expected at least 1, got %d".formatted(ROWS_PER_PARTITION, rowsPerPartition));
    }
  }

  @Override
  public String name() {
    return "activations " + source.shards().get(0).file().name();
  }

  /** Newer Sparks ask for columns, which they make of this. */
  @Override
  @SuppressWarnings("deprecation")
  public StructType schema() {
    return SCHEMA;
  }

  @Override
  public Set<TableCapability> capabilities() {
    return Set.of(TableCapability.BATCH_READ);
  }

  @Override
  public MetadataColumn[] metadataColumns() {
    return new MetadataColumn[] {
      new Hidden(FILE, DataTypes.StringType), new Hidden(FILE_ROW, DataTypes.LongType)
    };
  }

  @Override
  public ScanBuilder newScanBuilder(CaseInsensitiveStringMap options) {
    return new ActivationsScanBuilder(source, rowsPerPartition);
  }
}
