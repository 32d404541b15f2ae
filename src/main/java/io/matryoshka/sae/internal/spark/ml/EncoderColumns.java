package io.matryoshka.sae.internal.spark.ml;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.ml.functions;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The columns that an encoder reads and gives: those that are kept, in their order, and at the end
 * one of plain floats before encoding and one of latents after it.
 *
 * @param output what comes out
 * @param input the column of activations
 * @param kind what it holds
 * @param type what the column of latents holds
 * @param keepsInput whether the column of activations is kept
 */
public record EncoderColumns(
    StructType output, String input, Kind kind, OutputType type, boolean keepsInput)
    implements Serializable {

  /** What a cell of the column of activations is. */
  enum Kind {
    /** One activation. */
    ARRAY,
    /** One activation, as a vector of Spark ML. */
    VECTOR,
    /** An activation for each token. */
    SEQUENCE
  }

  private static final String FLOATS = "array<float>";

  public static EncoderColumns of(
      StructType schema, String input, String output, OutputType type, boolean keepsInput) {
    List<String> names = List.of(schema.fieldNames());
    if (!names.contains(input)) {
      throw new IllegalArgumentException(
          "there is no column '%s' of activations (inputCol); the columns are %s"
              .formatted(input, names));
    }
    if (names.contains(output) && (keepsInput || !input.equals(output))) {
      throw new IllegalArgumentException(
          "the column '%s' (outputCol) is there already; name another one".formatted(output));
    }
    Kind kind = kind(input, schema.apply(input).dataType());
    List<StructField> fields = new ArrayList<>();
    for (StructField field : schema.fields()) {
      if (keepsInput || !field.name().equals(input)) {
        fields.add(field);
      }
    }
    DataType cell =
        kind == Kind.SEQUENCE ? DataTypes.createArrayType(type.type(), false) : type.type();
    fields.add(DataTypes.createStructField(output, cell, false));
    return new EncoderColumns(DataTypes.createStructType(fields), input, kind, type, keepsInput);
  }

  private static Kind kind(String name, DataType type) {
    if (type.equals(SQLDataTypes.VectorType())) {
      return Kind.VECTOR;
    }
    if (type instanceof ArrayType array) {
      if (isNumber(array.elementType())) {
        return Kind.ARRAY;
      }
      if (array.elementType() instanceof ArrayType inner && isNumber(inner.elementType())) {
        return Kind.SEQUENCE;
      }
    }
    throw new IllegalArgumentException(
        ("the column '%s' of activations must hold array<float>, array<double>, arrays of these or"
                + " vectors, got %s")
            .formatted(name, type.catalogString()));
  }

  private static boolean isNumber(DataType type) {
    return type.equals(DataTypes.FloatType) || type.equals(DataTypes.DoubleType);
  }

  /** Adds the column of plain floats, and drops what is not kept. */
  public Dataset<Row> prepare(Dataset<?> dataset) {
    Column activations = dataset.col("`" + input.replace("`", "``") + "`");
    Column floats =
        switch (kind) {
          case ARRAY -> activations.cast(FLOATS);
          case VECTOR -> functions.vector_to_array(activations, "float32");
          case SEQUENCE -> org.apache.spark.sql.functions.flatten(activations).cast(FLOATS);
        };
    List<Column> columns = new ArrayList<>();
    for (String name : dataset.schema().fieldNames()) {
      if (keepsInput || !name.equals(input)) {
        columns.add(dataset.col("`" + name.replace("`", "``") + "`"));
      }
    }
    columns.add(floats.as("floats"));
    return dataset.select(columns.toArray(Column[]::new));
  }
}
