package io.matryoshka.sae;

import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.model.Shapes;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Writes the file of {@link SparseLatents#save} piece by piece, so that its entries are never in
 * memory as a whole. Its bytes do not depend on how the rows are cut into pieces.
 *
 * <p>Entries go to two temporary files beside the target, whose names start with a dot and end with
 * {@code .tmp}; {@link #finish} puts the target in place in one step, and {@link #close} without
 * {@code finish} leaves nothing behind. In memory are 8 bytes per row (16 for an SAE that
 * normalises each token). Not safe for use by several threads at once.
 */
public final class SparseLatentsWriter implements AutoCloseable {

  private static final float[] NO_FLOATS = {};

  private final Map<String, String> metadata = new TreeMap<>();
  private final Path target;
  private final int width;
  private final SpillFile latents;
  private final SpillFile values;
  private long[] offsets = new long[1024];
  private int rows;
  private long[] tailShape;
  private boolean scaled;
  private float[] scale = NO_FLOATS;
  private float[] mean = NO_FLOATS;

  private SparseLatentsWriter(Path target, int width, SpillFile latents, SpillFile values) {
    this.target = target;
    this.width = width;
    this.latents = latents;
    this.values = values;
  }

  /**
   * Creates the temporary files.
   *
   * @param target the file to be, in an existing folder; replaced by {@link #finish}
   * @param width number of latents that the indices count in
   * @return the writer, to be closed by the caller
   * @throws IOException if a file cannot be created
   */
  public static SparseLatentsWriter create(Path target, int width) throws IOException {
    if (width < 1) {
      throw new IllegalArgumentException("width must be at least 1, got " + width);
    }
    if (Files.isDirectory(target)) {
      throw new FileAlreadyExistsException(target + ": is a directory");
    }
    SpillFile latents = SpillFile.create(target, "latents");
    try {
      return new SparseLatentsWriter(target, width, latents, SpillFile.create(target, "values"));
    } catch (IOException e) {
      latents.close();
      throw e;
    }
  }

  /**
   * Adds an entry to the metadata of the file.
   *
   * @param key a key that {@link SparseLatents#save} does not use
   * @param value the value
   */
  public void metadata(String key, String value) {
    metadata.put(Objects.requireNonNull(key, "key"), Objects.requireNonNull(value, "value"));
  }

  /**
   * Appends rows.
   *
   * @param more latents of the same width and the same SAE as those before
   * @throws IllegalArgumentException if width, shape of a row or normalisation differ from those of
   *     the rows before, or there are more rows or entries than {@link SparseLatents} can hold
   * @throws IOException if they cannot be written
   */
  public void append(SparseLatents more) throws IOException {
    if (more.width() != width) {
      throw new IllegalArgumentException(
          target + ": the file holds latents of width " + width + ", got " + more.width());
    }
    requireSameKind(more);
    Csr csr = more.csr();
    long before = entries();
    reserve(csr.rows(), csr.latents().length);
    latents.write(csr.latents());
    values.write(csr.values());
    for (int row = 0; row < csr.rows(); row++) {
      offsets[rows + row + 1] = before + csr.rowOffsets()[row + 1];
    }
    if (scaled) {
      System.arraycopy(more.scaling().scale(), 0, scale, rows, csr.rows());
      System.arraycopy(more.scaling().mean(), 0, mean, rows, csr.rows());
    }
    rows += csr.rows();
  }

  /**
   * Appends rows without active latents, such as for tokens that could not be encoded.
   *
   * @param count how many
   * @throws IllegalArgumentException if there are more rows than {@link SparseLatents} can hold
   */
  public void appendEmpty(int count) {
    if (count < 0) {
      throw new IllegalArgumentException("a number of rows is at least 0, got " + count);
    }
    long end = entries();
    reserve(count, 0);
    Arrays.fill(offsets, rows + 1, rows + 1 + count, end);
    if (scaled) {
      Arrays.fill(scale, rows, rows + count, 1f);
    }
    rows += count;
  }

  private void requireSameKind(SparseLatents more) {
    if (tailShape == null) {
      tailShape = more.tailShape();
      scaled = !more.scaling().isNone();
      if (scaled) {
        scale = new float[offsets.length];
        mean = new float[offsets.length];
        Arrays.fill(scale, 0, rows, 1f);
      }
    }
    if (!Arrays.equals(tailShape, more.tailShape()) || scaled == more.scaling().isNone()) {
      throw new IllegalArgumentException(
          target
              + ": rows of shape "
              + Arrays.toString(tailShape)
              + (scaled ? " with" : " without")
              + " normalisation were written before, got "
              + Arrays.toString(more.tailShape())
              + (more.scaling().isNone() ? " without" : " with")
              + "; write the latents of one SAE to a file");
    }
  }

  private void reserve(int moreRows, int moreEntries) {
    long needed = (long) rows + moreRows + 1;
    if (needed > Integer.MAX_VALUE - 8 || entries() + moreEntries > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          String.format(
              "%s: %d rows with %d entries and %d rows with %d entries more are beyond what one"
                  + " file may hold (2^31 - 9 of each); write fewer rows to a file",
              target, rows, entries(), moreRows, moreEntries));
    }
    if (needed > offsets.length) {
      int length = (int) Math.max(needed, Math.min(2L * offsets.length, Integer.MAX_VALUE - 8));
      offsets = Arrays.copyOf(offsets, length);
      if (scaled) {
        scale = Arrays.copyOf(scale, length);
        mean = Arrays.copyOf(mean, length);
      }
    }
  }

  /**
   * Returns the number of rows written so far.
   *
   * @return rows
   */
  public int rows() {
    return rows;
  }

  /**
   * Returns the number of entries written so far.
   *
   * @return active latents of all rows
   */
  public long entries() {
    return offsets[rows];
  }

  /**
   * Writes the file with leading shape {@code [rows]} and waits until it is on the storage device.
   *
   * @throws IOException if it cannot be written
   */
  public void finish() throws IOException {
    finish(rows);
  }

  /**
   * Writes the file and waits until it is on the storage device.
   *
   * @param leadingShape shape of the input without its {@code d_in}
   * @throws IllegalArgumentException if the shape is not that of {@link #rows()} rows
   * @throws IOException if it cannot be written
   */
  public void finish(long... leadingShape) throws IOException {
    Objects.requireNonNull(leadingShape, "leadingShape");
    if (Shapes.count(leadingShape) != rows) {
      throw new IllegalArgumentException(
          "leading shape "
              + Arrays.toString(leadingShape)
              + " is not that of the "
              + rows
              + " rows written");
    }
    long[] tail = tailShape == null ? new long[0] : tailShape;
    SafetensorsWriter.Builder builder =
        SparseLatentsFile.declare(rows, entries(), width, leadingShape, tail, scaled);
    metadata.forEach(builder::metadata);
    try (SafetensorsWriter writer = builder.create(target)) {
      writer.writeLongs("row_offsets", Arrays.copyOf(offsets, rows + 1));
      values.copyTo(writer, "values");
      latents.copyTo(writer, "latents");
      if (scaled) {
        writer.writeFloats("scale", scale, 0, rows);
        writer.writeFloats("mean", mean, 0, rows);
      }
      writer.finish();
    }
  }

  /**
   * Deletes the temporary files. Closing twice is fine.
   *
   * @throws IOException if they cannot be deleted
   */
  @Override
  public void close() throws IOException {
    try {
      latents.close();
    } finally {
      values.close();
    }
  }
}
