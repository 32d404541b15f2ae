package io.matryoshka.sae.stream;

import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.store.FileStamp;
import io.matryoshka.sae.store.StoredFile;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One file of activations, as its header described it when the source was opened.
 *
 * @param file the file
 * @param tensor the name of the tensor, empty for a {@code .npy} file
 * @param dtype the element type as the file calls it, such as {@code BF16} or {@code <f4}
 * @param bits what the elements are, where the file does not tell
 * @param shape the dimensions {@code [..., d_in]}, heads joined; {@code [d_in]} for one vector
 * @param rows the number of rows, the product of all dimensions but the last
 * @param firstRow the index of the first row within the whole source
 * @param stamp the size of the file and when it was written
 */
public record ActivationShard(
    StoredFile file,
    String tensor,
    String dtype,
    Optional<HalfType> bits,
    List<Long> shape,
    long rows,
    long firstRow,
    FileStamp stamp) {

  /**
   * Checks and copies the parts.
   *
   * @param file the file
   * @param tensor the name of the tensor, empty for a {@code .npy} file
   * @param dtype the element type as the file calls it
   * @param bits what the elements are, where the file does not tell
   * @param shape the dimensions
   * @param rows the number of rows
   * @param firstRow the index of the first row within the whole source
   * @param stamp the size of the file and when it was written
   */
  public ActivationShard {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(tensor, "tensor");
    Objects.requireNonNull(dtype, "dtype");
    Objects.requireNonNull(bits, "bits");
    Objects.requireNonNull(stamp, "stamp");
    shape = List.copyOf(shape);
  }

  /**
   * Returns the index of the row after the last.
   *
   * @return {@code firstRow + rows}
   */
  public long endRow() {
    return firstRow + rows;
  }

  /**
   * Returns the width of a row.
   *
   * @return the last dimension
   */
  public int dIn() {
    return Math.toIntExact(shape.get(shape.size() - 1));
  }

  /** The same file at another place in a source. */
  ActivationShard at(long row) {
    return new ActivationShard(file, tensor, dtype, bits, shape, rows, row, stamp);
  }

  /** How messages about the tensor start. */
  String where() {
    return file.name() + (tensor.isEmpty() ? "" : ": tensor \"" + tensor + "\"");
  }
}
