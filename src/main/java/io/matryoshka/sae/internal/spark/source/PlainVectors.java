package io.matryoshka.sae.internal.spark.source;

import java.util.function.IntFunction;
import java.util.function.IntToLongFunction;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;
import org.apache.spark.sql.vectorized.ColumnarMap;
import org.apache.spark.unsafe.types.UTF8String;

/** Columns over what a batch holds already, without a copy and without nulls. */
public final class PlainVectors {

  private PlainVectors() {}

  /** Refuses what a column does not hold. */
  private abstract static class Plain extends ColumnVector {

    Plain(DataType type) {
      super(type);
    }

    private UnsupportedOperationException other(String asked) {
      return new UnsupportedOperationException(
          "a column of " + type.catalogString() + " was read as " + asked);
    }

    @Override
    public void close() {
      // Memory of the heap.
    }

    @Override
    public boolean hasNull() {
      return false;
    }

    @Override
    public int numNulls() {
      return 0;
    }

    @Override
    public boolean isNullAt(int row) {
      return false;
    }

    @Override
    public boolean getBoolean(int row) {
      throw other("boolean");
    }

    @Override
    public byte getByte(int row) {
      throw other("tinyint");
    }

    @Override
    public short getShort(int row) {
      throw other("smallint");
    }

    @Override
    public int getInt(int row) {
      throw other("int");
    }

    @Override
    public long getLong(int row) {
      throw other("bigint");
    }

    @Override
    public float getFloat(int row) {
      throw other("float");
    }

    @Override
    public double getDouble(int row) {
      throw other("double");
    }

    @Override
    public ColumnarArray getArray(int row) {
      throw other("array");
    }

    @Override
    public ColumnarMap getMap(int row) {
      throw other("map");
    }

    @Override
    public Decimal getDecimal(int row, int precision, int scale) {
      throw other("decimal");
    }

    @Override
    public UTF8String getUTF8String(int row) {
      throw other("string");
    }

    @Override
    public byte[] getBinary(int row) {
      throw other("binary");
    }

    @Override
    public ColumnVector getChild(int ordinal) {
      throw other("struct");
    }
  }

  /** Numbers that follow from the row. */
  static final class Longs extends Plain {
    private final IntToLongFunction values;

    Longs(IntToLongFunction values) {
      super(DataTypes.LongType);
      this.values = values;
    }

    @Override
    public long getLong(int row) {
      return values.applyAsLong(row);
    }
  }

  /** Texts that follow from the row. */
  static final class Texts extends Plain {
    private final IntFunction<UTF8String> values;

    Texts(IntFunction<UTF8String> values) {
      super(DataTypes.StringType);
      this.values = values;
    }

    @Override
    public UTF8String getUTF8String(int row) {
      return values.apply(row);
    }
  }

  /** The rows of {@code [rows, width]} floats, row-major. */
  static final class FloatRows extends Plain {
    private final Floats values;
    private final int width;

    FloatRows(float[] values, int width) {
      super(DataTypes.createArrayType(DataTypes.FloatType, false));
      this.values = new Floats(values);
      this.width = width;
    }

    @Override
    public ColumnarArray getArray(int row) {
      return new ColumnarArray(values, row * width, width);
    }
  }

  private static final class Floats extends Plain {
    private final float[] values;

    Floats(float[] values) {
      super(DataTypes.FloatType);
      this.values = values;
    }

    @Override
    public float getFloat(int row) {
      return values[row];
    }
  }
}
