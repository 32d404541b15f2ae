package io.matryoshka.sae.internal.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Objects;

/**
 * Active latents of a block of rows in compressed sparse row form. The arrays are not copied: the
 * record hands them on from the engine that made them.
 *
 * @param rowOffsets {@code [n + 1]}, row {@code r} owns the entries {@code rowOffsets[r] ..
 *     rowOffsets[r + 1] - 1}
 * @param latents {@code [nnz]}, latent of each entry, rising within a row
 * @param values {@code [nnz]}, activation of each entry
 */
public record Csr(int[] rowOffsets, int[] latents, float[] values) {

  /**
   * Checks that the three arrays belong together.
   *
   * @param rowOffsets {@code [n + 1]} row offsets
   * @param latents {@code [nnz]} latents
   * @param values {@code [nnz]} activations
   * @throws IllegalArgumentException if the sizes do not agree
   */
  public Csr {
    Objects.requireNonNull(rowOffsets, "rowOffsets");
    Objects.requireNonNull(latents, "latents");
    Objects.requireNonNull(values, "values");
    if (rowOffsets.length == 0
        || rowOffsets[0] != 0
        || rowOffsets[rowOffsets.length - 1] != latents.length
        || latents.length != values.length) {
      throw new IllegalArgumentException(
          "CSR arrays disagree: %d row offsets, %d latents, %d values"
              .formatted(rowOffsets.length, latents.length, values.length));
    }
  }

  /**
   * Returns the number of rows.
   *
   * @return {@code n}
   */
  public int rows() {
    return rowOffsets.length - 1;
  }

  /**
   * Takes some consecutive rows.
   *
   * @param from first row
   * @param to first row not taken
   * @return a copy
   */
  public Csr rows(int from, int to) {
    int first = rowOffsets[from];
    int last = rowOffsets[to];
    int[] offsets = new int[to - from + 1];
    for (int row = 0; row < offsets.length; row++) {
      offsets[row] = rowOffsets[from + row] - first;
    }
    return new Csr(
        offsets, Arrays.copyOfRange(latents, first, last), Arrays.copyOfRange(values, first, last));
  }

  /**
   * Makes dense rows.
   *
   * @param shape {@code [..., width]} with as many elements as rows times width
   * @param manager owns the result, on its device
   * @return float32 of that shape
   * @throws IllegalArgumentException if it takes more than 2 GiB
   */
  public NDArray toDense(Shape shape, NDManager manager) {
    int width = Math.toIntExact(shape.get(shape.dimension() - 1));
    long bytes = Math.multiplyExact(Math.multiplyExact((long) rows(), width), (long) Float.BYTES);
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "dense latents of %d rows and width %d take %d bytes, above the limit of 2 GiB; use the sparse form or fewer rows"
              .formatted(rows(), width, bytes));
    }
    // Filled through its own native memory: an array over a Java buffer would dangle in views of
    // it.
    NDArray dense = manager.zeros(shape, DataType.FLOAT32, Device.cpu());
    FloatBuffer target = dense.toByteBuffer(true).order(ByteOrder.nativeOrder()).asFloatBuffer();
    for (int row = 0; row < rows(); row++) {
      int base = row * width;
      for (int e = rowOffsets[row]; e < rowOffsets[row + 1]; e++) {
        target.put(base + latents[e], values[e]);
      }
    }
    return dense.toDevice(manager.getDevice(), false);
  }
}
