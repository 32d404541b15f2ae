package io.matryoshka.sae.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * One tensor of an open {@link SafetensorsFile}.
 *
 * <pre>{@code
 * try (SafetensorsFile file = SafetensorsFile.open(path)) {
 *   Tensor wDec = file.tensor("W_dec"); // [d_sae, d_in]
 *   float[] direction = wDec.floats(17 * dIn, dIn);
 * }
 * }</pre>
 *
 * <p>Elements are counted in row-major order. Like the file, usable by many threads at the same
 * time, until the file is closed.
 */
public final class Tensor {

  private final SafetensorsFile file;
  private final TensorInfo info;

  Tensor(SafetensorsFile file, TensorInfo info) {
    this.file = file;
    this.info = info;
  }

  /**
   * Returns name, dtype, shape and place in the file.
   *
   * @return as the header has them
   */
  public TensorInfo info() {
    return info;
  }

  /**
   * Reads all elements as floats.
   *
   * @return a new array
   * @throws SafetensorsException if a {@code float} does not hold the dtype exactly, or there are
   *     too many elements for an array
   * @throws IOException if the file cannot be read
   */
  public float[] floats() throws IOException {
    return file.readFloats(info.name());
  }

  /**
   * Reads consecutive elements as floats.
   *
   * @param first index of the first element
   * @param count number of elements
   * @return a new array
   * @throws SafetensorsException if a {@code float} does not hold the dtype exactly
   * @throws IOException if the file cannot be read
   * @throws IndexOutOfBoundsException if the elements are not within the tensor
   */
  public float[] floats(long first, int count) throws IOException {
    file.checkRange(info, "element", first, count, info.elementCount());
    float[] values = new float[count];
    file.readFloats(info.name(), first, values);
    return values;
  }

  /**
   * Reads all elements as doubles.
   *
   * @return a new array
   * @throws SafetensorsException if a {@code double} does not hold the dtype exactly, or there are
   *     too many elements for an array
   * @throws IOException if the file cannot be read
   */
  public double[] doubles() throws IOException {
    return file.readDoubles(info.name());
  }

  /**
   * Reads all elements as ints.
   *
   * @return a new array
   * @throws SafetensorsException if an {@code int} does not hold the dtype exactly, or there are
   *     too many elements for an array
   * @throws IOException if the file cannot be read
   */
  public int[] ints() throws IOException {
    return file.readInts(info.name());
  }

  /**
   * Reads all elements as longs.
   *
   * @return a new array
   * @throws SafetensorsException if the tensor holds no integers, or there are too many elements
   *     for an array
   * @throws IOException if the file cannot be read
   */
  public long[] longs() throws IOException {
    return file.readLongs(info.name());
  }

  /**
   * Maps the whole tensor.
   *
   * @return a read-only, direct, little-endian view of the file; not a copy
   * @throws SafetensorsException if the tensor is 2 GiB or larger
   * @throws IOException if the file cannot be mapped
   */
  public ByteBuffer map() throws IOException {
    return file.map(info.name());
  }

  @Override
  public String toString() {
    return info.toString();
  }
}
