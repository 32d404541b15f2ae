package io.matryoshka.sae.stream;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Activations of files that fit memory, in one line:
 *
 * <pre>{@code
 * SparseLatents latents = sae.encodeSparse(Activations.read(Path.of("acts.npy")).values());
 * NDArray x = Activations.read(Path.of("acts.safetensors")).toArray(manager); // [..., d_in]
 * }</pre>
 *
 * <p>For more than memory holds there is {@link ActivationSource}, which reads the same files.
 */
public final class Activations {

  private static final int BATCH_ROWS = 4096;

  private final float[] values;
  private final long[] shape;

  private Activations(float[] values, long[] shape) {
    this.values = values;
    this.shape = shape;
  }

  /**
   * Reads a file, or the files of a folder one after the other.
   *
   * @param path a {@code .npy} or {@code .safetensors} file, or a folder of them
   * @return the activations
   * @throws ActivationException if there are none, or more than a Java array holds
   * @throws IOException if a file is missing, unreadable or malformed
   */
  public static Activations read(Path path) throws IOException {
    return read(ActivationSource.open(List.of(path)));
  }

  /**
   * Reads all rows of a source.
   *
   * @param source the activations
   * @return the activations, of shape {@code [rows, d_in]} if the source has several arrays
   * @throws ActivationException if they are more than a Java array holds
   * @throws IOException if a file cannot be read
   */
  public static Activations read(ActivationSource source) throws IOException {
    long count = Math.multiplyExact(source.rows(), (long) source.dIn());
    if (count > Integer.MAX_VALUE - 8) {
      throw new ActivationException(
          "%d rows of %d floats are more than one array holds; read them in batches of a source"
              .formatted(source.rows(), source.dIn()));
    }
    float[] values = new float[(int) count];
    int batchRows = Math.max(1, Math.min(BATCH_ROWS, (Integer.MAX_VALUE - 8) / source.dIn()));
    try (ActivationBatches batches = source.batches(batchRows, 0)) {
      while (batches.hasNext()) {
        ActivationBatch batch = batches.next();
        int at = Math.toIntExact(batch.firstRow() * source.dIn());
        System.arraycopy(batch.values(), 0, values, at, batch.values().length);
      }
    }
    List<Long> shape =
        source.shards().size() == 1
            ? source.shards().get(0).shape()
            : List.of(source.rows(), (long) source.dIn());
    return new Activations(values, shape.stream().mapToLong(Long::longValue).toArray());
  }

  /**
   * Returns the values.
   *
   * @return {@code [rows, d_in]} row-major; the array itself, not a copy
   */
  public float[] values() {
    return values;
  }

  /**
   * Returns the shape.
   *
   * @return {@code [..., d_in]}, a new array
   */
  public long[] shape() {
    return shape.clone();
  }

  /**
   * Copies the values to an array of DJL.
   *
   * @param manager owns the array
   * @return float32, of {@link #shape}
   */
  public NDArray toArray(NDManager manager) {
    return manager.create(values, new Shape(shape));
  }

  @Override
  public String toString() {
    return "Activations" + Arrays.toString(shape);
  }
}
