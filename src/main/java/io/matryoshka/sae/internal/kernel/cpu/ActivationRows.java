package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.Tuning;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** A block of prepared activations, in native memory and row by row as {@link StripedVector}s. */
final class ActivationRows {

  final int rows;
  final int dIn;

  /** {@code [rows, d_in]} in native memory, but for few rows, which take a copy only if asked. */
  private final Optional<NDArray> block;

  private final FloatBuffer floats;

  /** Rows that were asked for. */
  private final AtomicReferenceArray<float[][]> stripes;

  private ActivationRows(FloatBuffer floats, int rows, int dIn, Optional<NDArray> block) {
    this.floats = floats;
    this.rows = rows;
    this.dIn = dIn;
    this.block = block;
    stripes = new AtomicReferenceArray<>(rows);
  }

  /**
   * Takes rows less a vector.
   *
   * @param source {@code [n, d_in]} float32 on the CPU; is read as long as the block is in use
   * @param shift {@code [d_in]} is subtracted from every row, or null
   * @param scope owns the difference
   */
  static ActivationRows of(NDArray source, NDArray shift, NDManager scope) {
    int rows = Math.toIntExact(source.getShape().get(0));
    int dIn = Math.toIntExact(source.getShape().get(1));
    if (shift == null) {
      return new ActivationRows(floats(source), rows, dIn, Optional.of(source));
    }
    if (rows * (long) dIn <= Tuning.FEW_NUMBERS) {
      return new ActivationRows(difference(source, shift, rows, dIn), rows, dIn, Optional.empty());
    }
    NDArray block = source.sub(shift);
    block.attach(scope);
    return new ActivationRows(floats(block), rows, dIn, Optional.of(block));
  }

  private static FloatBuffer difference(NDArray source, NDArray shift, int rows, int dIn) {
    float[] values = new float[rows * dIn];
    float[] subtracted = new float[dIn];
    floats(source).get(values);
    floats(shift).get(subtracted);
    for (int row = 0; row < rows; row++) {
      for (int d = 0; d < dIn; d++) {
        values[row * dIn + d] -= subtracted[d];
      }
    }
    return FloatBuffer.wrap(values);
  }

  /** The memory of an array on the CPU. */
  static FloatBuffer floats(NDArray array) {
    return array.toByteBuffer(true).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  /**
   * Takes some of these rows.
   *
   * @param which the rows, rising
   */
  ActivationRows select(int[] which) {
    if (which.length == rows) {
      return this;
    }
    float[] values = new float[which.length * dIn];
    for (int row = 0; row < which.length; row++) {
      floats.get(which[row] * dIn, values, row * dIn, dIn);
    }
    return new ActivationRows(FloatBuffer.wrap(values), which.length, dIn, Optional.empty());
  }

  /** The rows from {@code begin} to {@code end - 1}, {@code [rows, d_in]}. */
  NDArray array(int begin, int end, NDManager scope) {
    if (block.isEmpty()) {
      NDArray copy = scope.create(new Shape(end - begin, dIn), DataType.FLOAT32);
      floats(copy).put(floats.duplicate().position(begin * dIn).limit(end * dIn));
      return copy;
    }
    NDArray all = block.get();
    if (begin == 0 && end == rows) {
      return all;
    }
    NDArray slice = all.get(new NDIndex(begin + ":" + end));
    slice.attach(scope);
    return slice;
  }

  /** A row, which is not to be changed. */
  float[][] row(int row) {
    float[][] found = stripes.get(row);
    if (found == null) {
      found = StripedVector.zeros(dIn);
      copyRow(row, found);
      stripes.set(row, found);
    }
    return found;
  }

  float get(int row, int dim) {
    return floats.get(row * dIn + dim);
  }

  /** Copies a row into a vector. */
  void copyRow(int row, float[][] target) {
    StripedVector.fill(target, floats, row * dIn, dIn);
  }

  /** Copies a row into an array that is at least as long. */
  void copyRow(int row, float[] target) {
    floats.get(row * dIn, target, 0, dIn);
  }
}
