package io.matryoshka.sae.stream;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.io.DiskFile;
import io.matryoshka.sae.npy.NpyFile;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.store.ByteSource;
import io.matryoshka.sae.store.StoredFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Which rows of a stream count, from a file with one number or boolean per row: 0 leaves the row
 * out (a special token, padding), any number above counts it, as in an attention mask. Booleans,
 * integers and floats mean the same in {@code .npy} and {@code .safetensors}. The file is opened
 * once for some 500,000 rows, which are kept for the reads that follow. Safe for use by several
 * threads.
 */
public final class RowMask {

  /** Rows that are read together; 64 KB where they are kept. */
  private static final int BLOCK = 1 << 19;

  /** Blocks that are kept: one for each reader of a machine, and some. */
  private static final int MAX_BLOCKS = 64;

  private final StoredFile file;
  private final String tensor;
  private final long rows;

  /** Counted once, when first needed; -1 until then. */
  private volatile long kept;

  /** Which rows of a block count, by its number; the one that was used last is at the end. */
  private final Map<Long, BitSet> blocks = new LinkedHashMap<>(16, 0.75f, true);

  private RowMask(StoredFile file, String tensor, long rows, long kept) {
    this.file = file;
    this.tensor = tensor;
    this.rows = rows;
    this.kept = kept;
  }

  /**
   * Takes what another machine has found in a file, which is not opened before rows are read.
   *
   * @param file a {@code .npy} or {@code .safetensors} file
   * @param tensor its {@link #tensor}
   * @param rows its {@link #rows}
   * @param kept its {@link #countKept}
   * @return the mask
   */
  public static RowMask of(StoredFile file, String tensor, long rows, long kept) {
    return new RowMask(file, tensor, rows, kept);
  }

  /**
   * Opens a file. Its elements in row-major order are the rows of the stream; the shape does not
   * matter.
   *
   * @param file a {@code .npy} or {@code .safetensors} file
   * @param tensor the tensor of a {@code .safetensors} file; empty if it holds one only
   * @return the mask
   * @throws ActivationException if the tensor must be named
   * @throws IOException if the file cannot be read, is malformed or lacks the tensor
   */
  public static RowMask open(Path file, Optional<String> tensor) throws IOException {
    return open(new DiskFile(file), tensor);
  }

  /**
   * Opens a file of any store, as {@link #open(Path, Optional)} does.
   *
   * @param file a {@code .npy} or {@code .safetensors} file
   * @param tensor the tensor of a {@code .safetensors} file; empty if it holds one only
   * @return the mask
   * @throws ActivationException if the tensor must be named
   * @throws IOException if the file cannot be read, is malformed or lacks the tensor
   */
  public static RowMask open(StoredFile file, Optional<String> tensor) throws IOException {
    try (ByteSource source = file.open()) {
      if (InputFiles.isNpy(source)) {
        return new RowMask(file, "", NpyFile.open(source).elementCount(), -1);
      }
      SafetensorsFile safetensors = SafetensorsFile.open(source);
      String name = tensor.isPresent() ? tensor.get() : onlyTensor(safetensors);
      return new RowMask(file, name, safetensors.info(name).elementCount(), -1);
    }
  }

  private static String onlyTensor(SafetensorsFile safetensors) throws ActivationException {
    List<String> names = List.copyOf(safetensors.names());
    if (names.size() != 1) {
      throw new ActivationException(
          "%s: holds the tensors %s; name the one that is the mask (--mask-tensor)"
              .formatted(safetensors.name(), names));
    }
    return names.get(0);
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
  public StoredFile file() {
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
   * @throws ActivationException if an element is negative or not finite
   * @throws IOException if the file cannot be read
   * @throws IndexOutOfBoundsException if the mask has no such rows
   */
  public boolean[] read(long firstRow, int count) throws IOException {
    Objects.checkFromIndexSize(firstRow, (long) count, rows);
    boolean[] counted = new boolean[count];
    for (int done = 0; done < count; ) {
      long row = firstRow + done;
      BitSet block = block(row / BLOCK);
      int at = (int) (row % BLOCK);
      for (int end = Math.min(BLOCK, at + count - done); at < end; at++) {
        counted[done++] = block.get(at);
      }
    }
    return counted;
  }

  private BitSet block(long number) throws IOException {
    synchronized (blocks) {
      BitSet known = blocks.get(number);
      if (known == null) {
        known = readBlock(number);
        blocks.put(number, known);
        if (blocks.size() > MAX_BLOCKS) {
          blocks.remove(blocks.keySet().iterator().next());
        }
      }
      return known;
    }
  }

  private BitSet readBlock(long number) throws IOException {
    long firstRow = number * BLOCK;
    float[] values = new float[(int) Math.min(BLOCK, rows - firstRow)];
    if (tensor.isEmpty()) {
      try (NpyFile npy = NpyFile.open(file.open())) {
        npy.readFloats(firstRow, values, 0, values.length);
      }
    } else {
      readTensor(firstRow, values);
    }
    BitSet counted = new BitSet(values.length);
    for (int row = 0; row < values.length; row++) {
      if (!(values[row] >= 0 && values[row] <= Float.MAX_VALUE)) {
        throw new ActivationException(
            "%s: element %d of the mask is %s, expected 0 to leave a row out or 1 to count it"
                .formatted(file.name(), firstRow + row, values[row]));
      }
      counted.set(row, values[row] != 0);
    }
    return counted;
  }

  /** Integers become floats by their sign alone, as a float does not hold all of them. */
  private void readTensor(long firstRow, float[] target) throws IOException {
    try (SafetensorsFile safetensors = SafetensorsFile.open(file.open())) {
      Dtype dtype = safetensors.info(tensor).dtype();
      switch (dtype) {
        case I64, U64, U32, I32 -> {
          long[] values = new long[target.length];
          safetensors.readLongs(tensor, firstRow, values);
          for (int i = 0; i < values.length; i++) {
            target[i] = dtype == Dtype.U64 && values[i] != 0 ? 1 : Long.signum(values[i]);
          }
        }
        case F64 -> {
          double[] values = new double[target.length];
          safetensors.readDoubles(tensor, firstRow, values);
          for (int i = 0; i < values.length; i++) {
            target[i] = Double.isFinite(values[i]) ? (float) Math.signum(values[i]) : Float.NaN;
          }
        }
        default -> safetensors.readFloats(tensor, firstRow, target);
      }
    }
  }

  /**
   * Counts the rows that the mask keeps.
   *
   * @return a number from 0 to {@link #rows}
   * @throws IOException as {@link #read}
   */
  public long countKept() throws IOException {
    if (kept < 0) {
      long count = 0;
      for (long block = 0; block * BLOCK < rows; block++) {
        count += block(block).cardinality();
      }
      kept = count;
    }
    return kept;
  }

  /** What the result of a run depends on. */
  ObjectNode describe() throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("file", file.fileName());
    json.put("tensor", tensor);
    json.put("rows", rows);
    json.put("ends_sha256", Fingerprint.of(file));
    return json;
  }

  @Override
  public String toString() {
    return "RowMask["
        + file.name()
        + (tensor.isEmpty() ? "" : ", " + tensor)
        + ", rows="
        + rows
        + "]";
  }
}
