package io.matryoshka.sae.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.internal.spark.source.ActivationsTable;
import io.matryoshka.sae.internal.spark.store.HadoopActivations;
import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableProvider;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.sources.DataSourceRegister;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * Files of model activations as a data frame:
 *
 * <pre>{@code
 * spark.read().format("activations").option("dIn", 2304).load("s3a://bucket/activations/")
 * }</pre>
 *
 * <p>Columns: {@code row} (bigint), the number of the row within all files, in natural order of
 * their names; {@code activation} (array of float). Not in {@code *}, but read when named: {@code
 * _file} and {@code _file_row}, where the row is stored. Columns that nobody asks for are not read,
 * nor are rows beyond a limit.
 *
 * <p>Options: {@code dIn}, the width that files must have; {@code tensor}, which tensors of
 * safetensors files are read; {@code as}, {@code float16} or {@code bfloat16} for two-byte elements
 * whose files do not tell; {@code rowsPerPartition}, 65,536 by default.
 */
public final class ActivationsDataSource implements TableProvider, DataSourceRegister {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Made by Spark. */
  public ActivationsDataSource() {}

  /**
   * Returns the name of the format.
   *
   * @return {@code activations}
   */
  @Override
  public String shortName() {
    return "activations";
  }

  @Override
  public StructType inferSchema(CaseInsensitiveStringMap options) {
    return ActivationsTable.SCHEMA;
  }

  @Override
  public Table getTable(
      StructType schema, Transform[] partitioning, Map<String, String> properties) {
    CaseInsensitiveStringMap options = new CaseInsensitiveStringMap(properties);
    try {
      return new ActivationsTable(open(options), options);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  private static ActivationSource open(CaseInsensitiveStringMap options) throws IOException {
    SourceOptions how = SourceOptions.defaults();
    if (options.containsKey("dIn")) {
      how = how.dIn(options.getInt("dIn", 0));
    }
    if (options.containsKey("tensor")) {
      how = how.tensor(options.get("tensor"));
    }
    if (options.containsKey("as")) {
      how = how.bits(bits(options.get("as")));
    }
    Configuration hadoop = SparkSession.active().sparkContext().hadoopConfiguration();
    return ActivationSource.openStored(HadoopActivations.find(paths(options), hadoop), how);
  }

  private static HalfType bits(String name) {
    return Arrays.stream(HalfType.values())
        .filter(type -> type.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "option as: expected float16 or bfloat16, got '%s'".formatted(name)));
  }

  /** The paths given to load, one as it is or several as JSON. */
  private static List<String> paths(CaseInsensitiveStringMap options) {
    try {
      if (options.containsKey("paths")) {
        return List.of(JSON.readValue(options.get("paths"), String[].class));
      }
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "option paths: expected a JSON array, got " + options.get("paths"), e);
    }
    if (!options.containsKey("path")) {
      throw new IllegalArgumentException("no files of activations are named; give them to load");
    }
    return List.of(options.get("path"));
  }
}
