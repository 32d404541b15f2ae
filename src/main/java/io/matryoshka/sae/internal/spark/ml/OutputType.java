package io.matryoshka.sae.internal.spark.ml;

import io.matryoshka.sae.SparseLatents;
import java.util.Arrays;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** What a column of latents holds. */
public enum OutputType {
  /** Indices and activations: 8 bytes an active latent, and columns that every program reads. */
  STRUCT(
      new StructType()
          .add("latents", DataTypes.createArrayType(DataTypes.IntegerType, false), false)
          .add("values", DataTypes.createArrayType(DataTypes.FloatType, false), false)) {
    @Override
    Object cell(int[] latents, float[] values, int width) {
      return RowFactory.create(latents, values);
    }
  },
  /** A sparse vector of Spark ML, for its other stages. */
  VECTOR(SQLDataTypes.VectorType()) {
    @Override
    Object cell(int[] latents, float[] values, int width) {
      double[] doubles = new double[values.length];
      Arrays.setAll(doubles, i -> values[i]);
      return Vectors.sparse(width, latents, doubles);
    }
  };

  private final DataType type;

  OutputType(DataType type) {
    this.type = type;
  }

  DataType type() {
    return type;
  }

  public String key() {
    return Keys.of(this);
  }

  public static OutputType of(String key) {
    return Keys.find(OutputType.class, "outputType", key);
  }

  /** Makes the value of one activation. */
  public Object cell(SparseLatents latents, int row) {
    LatentCells cells = LatentCells.of(latents, row);
    return cell(cells.latents(), cells.values(), latents.width());
  }

  abstract Object cell(int[] latents, float[] values, int width);
}
