package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.prepared.NativeBytes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * A block of prepared activations in memory, each row at a multiple of {@value
 * NativeBytes#ALIGNMENT} bytes. libtorch's order of summation in a dot product depends on the
 * alignment of the factors; so that a value does not depend on its row, all rows are aligned alike.
 */
public final class AlignedRows {

  private static final int ALIGNED_FLOATS = NativeBytes.ALIGNMENT / Float.BYTES;

  final int rows;
  final int dIn;

  /** {@code [rows, d_in]} or wider, in the memory of {@link #floats}. */
  final NDArray array;

  private final FloatBuffer floats;
  private final int stride;

  /**
   * Takes some rows less a vector, without a copy where there is none and they are aligned.
   *
   * @param source {@code [n, d_in]} float32 on the CPU
   * @param shift {@code [d_in]} is subtracted from every row, or null
   * @param begin the first row
   * @param end the row after the last
   * @param scope owns the arrays
   */
  AlignedRows(NDArray source, NDArray shift, int begin, int end, NDManager scope) {
    rows = end - begin;
    dIn = Math.toIntExact(source.getShape().get(1));
    stride = (dIn + ALIGNED_FLOATS - 1) / ALIGNED_FLOATS * ALIGNED_FLOATS;
    NDArray block = source.get(new NDIndex(begin + ":" + end));
    block.attach(scope);
    if (shift != null) {
      block = block.sub(shift);
    }
    ByteBuffer memory = block.toByteBuffer(true).order(ByteOrder.nativeOrder());
    if (stride == dIn && NativeBytes.isAligned(memory)) {
      array = block;
      floats = memory.asFloatBuffer();
    } else {
      ByteBuffer aligned =
          NativeBytes.allocateDirect(Math.multiplyExact(rows * Float.BYTES, stride));
      floats = aligned.asFloatBuffer();
      FloatBuffer values = memory.asFloatBuffer();
      for (int row = 0; row < rows; row++) {
        floats.put(row * stride, values, row * dIn, dIn);
      }
      array = scope.create(aligned, new Shape(rows, stride), DataType.FLOAT32);
    }
  }

  /** Copies some rows. */
  private AlignedRows(AlignedRows source, int[] which, NDManager scope) {
    rows = which.length;
    dIn = source.dIn;
    stride = source.stride;
    ByteBuffer memory = NativeBytes.allocateDirect(Math.multiplyExact(rows * Float.BYTES, stride));
    floats = memory.asFloatBuffer();
    for (int row = 0; row < rows; row++) {
      floats.put(row * stride, source.floats, which[row] * stride, dIn);
    }
    array = scope.create(memory, new Shape(rows, stride), DataType.FLOAT32);
  }

  /**
   * Takes some rows of these, without a copy if it is all of them.
   *
   * @param which the rows, rising
   * @param scope owns the arrays
   */
  AlignedRows select(int[] which, NDManager scope) {
    return which.length == rows ? this : new AlignedRows(this, which, scope);
  }

  /** The rows from {@code begin} to {@code end - 1} of {@link #array}, in its memory. */
  NDArray slice(int begin, int end, NDManager scope) {
    if (begin == 0 && end == rows) {
      return array;
    }
    NDArray slice = array.get(new NDIndex(begin + ":" + end));
    slice.attach(scope);
    return slice;
  }

  float get(int row, int dim) {
    return floats.get(row * stride + dim);
  }

  /** Copies a row into a vector. */
  void copyRow(int row, float[][] target) {
    StripedVector.fill(target, floats, row * stride, dIn);
  }
}
