package io.matryoshka.sae.eval;

import io.matryoshka.sae.npy.NpyFile;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * Which rows of a stream count, from a file with one number or boolean per row: 0 leaves the row
 * out (a special token, padding), anything else counts it, as in an attention mask. Immutable; each
 * read opens the file anew.
 */
public final class RowMask {

  private final Path file;
  private final String tensor;
  private final long rows;

  private RowMask(Path file, String tensor, long rows) {
    this.file = file;
    this.tensor = tensor;
    this.rows = rows;
  }

  /**
   * Opens a {@code .npy} file, or a {@code .safetensors} file with a boolean or integer tensor. Its
   * elements in row-major order are the rows of the stream; the shape does not matter.
   *
   * @param file the file
   * @param tensor the tensor of a {@code .safetensors} file; empty if it holds one only
   * @return the mask
   * @throws EvaluationException if the tensor must be named
   * @throws IOException if the file cannot be read, is malformed or lacks the tensor
   */
  public static RowMask open(Path file, Optional<String> tensor) throws IOException {
    Objects.requireNonNull(file, "file");
    if (isNpy(file)) {
      try (NpyFile npy = NpyFile.open(file)) {
        return new RowMask(file, "", npy.elementCount());
      }
    }
    try (SafetensorsFile safetensors = SafetensorsFile.open(file)) {
      String name = tensor.isPresent() ? tensor.get() : onlyTensor(file, safetensors);
      TensorInfo info = safetensors.info(name);
      return new RowMask(file, name, info.elementCount());
    }
  }

  private static String onlyTensor(Path file, SafetensorsFile safetensors)
      throws EvaluationException {
    List<String> names = List.copyOf(safetensors.names());
    if (names.size() != 1) {
      throw new EvaluationException(
          file + ": holds the tensors " + names + "; name the one that is the mask");
    }
    return names.get(0);
  }

  private static boolean isNpy(Path file) {
    return file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".npy");
  }

  /**
   * Returns the number of rows.
   *
   * @return elements of the file
   */
  public long rows() {
    return rows;
  }

  /**
   * Returns the file.
   *
   * @return as given
   */
  public Path file() {
    return file;
  }

  /**
   * Returns the name of the tensor.
   *
   * @return the name, empty for a {@code .npy} file
   */
  public String tensor() {
    return tensor;
  }

  /**
   * Reads consecutive rows.
   *
   * @param firstRow index of the first row
   * @param count number of rows
   * @return {@code [count]}, true where a row counts
   * @throws IOException if the file cannot be read or its tensor is neither boolean nor integer
   */
  public boolean[] read(long firstRow, int count) throws IOException {
    Objects.checkFromIndexSize(firstRow, (long) count, rows);
    boolean[] counted = new boolean[count];
    if (tensor.isEmpty()) {
      float[] values = new float[count];
      try (NpyFile npy = NpyFile.open(file)) {
        npy.readFloats(firstRow, values, 0, count);
      }
      for (int row = 0; row < count; row++) {
        counted[row] = values[row] != 0;
      }
    } else {
      long[] values = new long[count];
      try (SafetensorsFile safetensors = SafetensorsFile.open(file)) {
        safetensors.readLongs(tensor, firstRow, values);
      }
      for (int row = 0; row < count; row++) {
        counted[row] = values[row] != 0;
      }
    }
    return counted;
  }

  @Override
  public String toString() {
    return "RowMask[" + file + (tensor.isEmpty() ? "" : ", " + tensor) + ", rows=" + rows + "]";
  }
}
