package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** Activations in Java memory as a native array. */
final class PlainRows {

  private PlainRows() {}

  /** Counts the rows of a plain array. */
  static int count(float[] x, int dIn) {
    if (x.length % dIn != 0) {
      throw new IllegalArgumentException(
          "encode: the array must hold whole rows of d_in = " + dIn + " floats, got " + x.length);
    }
    return x.length / dIn;
  }

  /** Copies rows from the position of a buffer on, once, to the device of the scope. */
  static NDArray array(FloatBuffer x, int rows, int dIn, NDManager scope) {
    long floats = Math.multiplyExact((long) rows, dIn);
    if (rows < 0 || x.remaining() < floats) {
      throw new IllegalArgumentException(
          "encode: "
              + rows
              + " rows of d_in = "
              + dIn
              + " need "
              + floats
              + " floats, the buffer has "
              + x.remaining());
    }
    if (floats * Float.BYTES > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "encode: "
              + rows
              + " rows of d_in = "
              + dIn
              + " take "
              + floats * Float.BYTES
              + " bytes, above the limit of 2 GiB a call; encode fewer rows at once");
    }
    ByteBuffer bytes =
        ByteBuffer.allocateDirect((int) (floats * Float.BYTES)).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(x.slice(x.position(), (int) floats));
    return scope.create(bytes, new Shape(rows, dIn), DataType.FLOAT32);
  }
}
