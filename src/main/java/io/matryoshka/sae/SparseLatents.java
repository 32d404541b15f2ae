package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.model.Normalizer;
import io.matryoshka.sae.internal.model.PreparedRows;
import io.matryoshka.sae.internal.model.RowScaling;
import io.matryoshka.sae.internal.model.Shapes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/**
 * The active latents of a batch of tokens in compressed sparse row form: only activations that are
 * not 0 are stored, rising by latent within a row. Immutable and safe for concurrent use; edits
 * return a changed copy.
 *
 * <p>Rows are the tokens of the input in row-major order: an input {@code [batch, position, d_in]}
 * gives {@code batch * position} rows. Where the SAE normalises each token, the numbers that
 * decoding needs to undo it travel with the rows.
 */
public final class SparseLatents {

  private final Csr csr;
  private final Levels levels;
  private final long[] leadingShape;
  private final long[] tailShape;
  private final RowScaling scaling;

  SparseLatents(Csr csr, Levels levels, long[] leadingShape, long[] tailShape, RowScaling scaling) {
    this.csr = csr;
    this.levels = levels;
    this.leadingShape = leadingShape;
    this.tailShape = tailShape;
    this.scaling = scaling;
  }

  /**
   * Makes sparse latents from arrays, which are copied.
   *
   * @param rowOffsets {@code [n + 1]}, rising from 0 to {@code nnz}
   * @param latents {@code [nnz]}, rising within a row, each from 0 to {@code width - 1}
   * @param activations {@code [nnz]}; zeros are dropped
   * @param width number of latents that the indices count in, at least 1
   * @return the sparse latents, with leading shape {@code [n]}
   * @throws IllegalArgumentException if an array breaks these rules
   */
  public static SparseLatents of(int[] rowOffsets, int[] latents, float[] activations, int width) {
    Csr csr = new Csr(rowOffsets.clone(), latents.clone(), activations.clone());
    requireSorted(csr, width);
    return new SparseLatents(
            csr, Levels.ofOne(width), new long[] {csr.rows()}, new long[0], RowScaling.NONE)
        .rebuild((latent, activation) -> activation);
  }

  /** The latents of prepared rows. */
  static SparseLatents of(Csr csr, Levels levels, PreparedRows rows) {
    return new SparseLatents(
        csr, levels, rows.leadingShape(), rows.tailShape(), rows.scaling().toHost());
  }

  static void requireSorted(Csr csr, int width) {
    if (width < 1) {
      throw new IllegalArgumentException("width must be at least 1, got " + width);
    }
    for (int row = 0; row < csr.rows(); row++) {
      int begin = csr.rowOffsets()[row];
      int end = csr.rowOffsets()[row + 1];
      if (end < begin || end > csr.latents().length) {
        throw new IllegalArgumentException(
            "row offsets must rise from 0 to the number of entries; row "
                + row
                + " is ["
                + begin
                + ", "
                + end
                + ")");
      }
      for (int e = begin; e < end; e++) {
        int latent = csr.latents()[e];
        if (latent < 0 || latent >= width || (e > begin && latent <= csr.latents()[e - 1])) {
          throw new IllegalArgumentException(
              "latents of row " + row + " must rise within 0.." + (width - 1) + ", got " + latent);
        }
      }
    }
  }

  /**
   * Returns the number of rows.
   *
   * @return tokens in the batch
   */
  public int rows() {
    return csr.rows();
  }

  /**
   * Returns the number of latents that the indices count in.
   *
   * @return {@code d_sae} or the prefix width
   */
  public int width() {
    return levels.to(levels.count() - 1);
  }

  /**
   * Returns the Matryoshka levels that the latents belong to.
   *
   * @return those of the SAE that encoded; a single level of latents from arrays or a file, unless
   *     {@link #withLevels} set others
   */
  public Levels levels() {
    return levels;
  }

  /**
   * Sets the Matryoshka levels that the latents belong to.
   *
   * @param changed levels whose last width is {@link #width()}
   * @return a changed copy
   * @throws IllegalArgumentException if the last width is another
   */
  public SparseLatents withLevels(Levels changed) {
    if (changed.to(changed.count() - 1) != width()) {
      throw new IllegalArgumentException(
          "levels must end with the width %d, got %s".formatted(width(), changed.widths()));
    }
    return new SparseLatents(csr, changed, leadingShape, tailShape, scaling);
  }

  /**
   * Returns the Matryoshka level of a latent.
   *
   * @param latent index of the latent
   * @return index of the level, from 0
   */
  public int level(int latent) {
    checkLatent(latent);
    return levels.of(latent);
  }

  /**
   * Returns the shape of the input without its {@code d_in}.
   *
   * @return a copy
   */
  public long[] leadingShape() {
    return leadingShape.clone();
  }

  /**
   * Returns the number of stored activations.
   *
   * @return entries over all rows
   */
  public int activeCount() {
    return csr.latents().length;
  }

  /**
   * Returns the number of stored activations of a row, its L0.
   *
   * @param row index of the token
   * @return entries of the row
   */
  public int activeCount(int row) {
    checkRow(row);
    return csr.rowOffsets()[row + 1] - csr.rowOffsets()[row];
  }

  /**
   * Returns the row offsets.
   *
   * @return {@code [n + 1]}, a copy
   */
  public int[] rowOffsets() {
    return csr.rowOffsets().clone();
  }

  /**
   * Returns the latents of all rows.
   *
   * @return {@code [nnz]}, a copy
   */
  public int[] latents() {
    return csr.latents().clone();
  }

  /**
   * Returns the activations of all rows.
   *
   * @return {@code [nnz]}, a copy
   */
  public float[] activations() {
    return csr.values().clone();
  }

  /** Takes the active latents of a row one by one. */
  @FunctionalInterface
  public interface Visitor {

    /**
     * Takes one active latent.
     *
     * @param latent its index
     * @param activation its activation
     */
    void accept(int latent, float activation);
  }

  /**
   * Visits the active latents of a row in rising order, without copying.
   *
   * @param row index of the token
   * @param visitor called once per active latent
   */
  public void forEach(int row, Visitor visitor) {
    checkRow(row);
    for (int e = csr.rowOffsets()[row]; e < csr.rowOffsets()[row + 1]; e++) {
      visitor.accept(csr.latents()[e], csr.values()[e]);
    }
  }

  /**
   * Returns the activation of one latent of a row.
   *
   * @param row index of the token
   * @param latent index of the latent
   * @return its activation, 0 if it is not active
   */
  public float activation(int row, int latent) {
    checkRow(row);
    checkLatent(latent);
    int e =
        Arrays.binarySearch(
            csr.latents(), csr.rowOffsets()[row], csr.rowOffsets()[row + 1], latent);
    return e < 0 ? 0f : csr.values()[e];
  }

  /**
   * Returns the strongest latents of a row, strongest first; of equal activations the lower latent
   * comes first.
   *
   * @param row index of the token
   * @param count how many at most
   * @return at most {@code count} active latents
   */
  public List<ActiveLatent> strongest(int row, int count) {
    return strongest(row, 0, width(), count);
  }

  /**
   * Returns the strongest latents of one level of a row, in the order of {@link #strongest(int,
   * int)}.
   *
   * @param row index of the token
   * @param level index of the level, from 0
   * @param count how many at most
   * @return at most {@code count} active latents
   */
  public List<ActiveLatent> strongest(int row, int level, int count) {
    return strongest(row, levels.from(level), levels.to(level), count);
  }

  private List<ActiveLatent> strongest(int row, int from, int to, int count) {
    checkRow(row);
    if (count < 0) {
      throw new IllegalArgumentException("count must be at least 0, got " + count);
    }
    List<ActiveLatent> active = new ArrayList<>();
    forEach(
        row,
        (latent, activation) -> {
          if (latent >= from && latent < to) {
            active.add(new ActiveLatent(latent, activation));
          }
        });
    active.sort(
        Comparator.comparing(ActiveLatent::activation, Comparator.reverseOrder())
            .thenComparing(ActiveLatent::latent));
    return List.copyOf(active.subList(0, Math.min(count, active.size())));
  }

  /**
   * Keeps the latents of one range, such as a Matryoshka level; the others become 0. Width and
   * shape stay.
   *
   * @param from first latent kept
   * @param to first latent after {@code from} not kept
   * @return a changed copy
   */
  public SparseLatents range(int from, int to) {
    if (from < 0 || to < from) {
      throw new IllegalArgumentException("latent range must rise from 0, got " + from + ".." + to);
    }
    return rebuild((latent, a) -> latent >= from && latent < to ? a : 0f);
  }

  /**
   * Sets a latent to 0 in every row.
   *
   * @param latent index of the latent
   * @return a changed copy
   */
  public SparseLatents zero(int latent) {
    return scale(latent, 0f);
  }

  /**
   * Sets the latents of one range to 0 in every row, such as those of a Matryoshka level.
   *
   * @param from first latent that becomes 0
   * @param to first latent after {@code from} that stays
   * @return a changed copy
   */
  public SparseLatents zeroRange(int from, int to) {
    if (from < 0 || to < from) {
      throw new IllegalArgumentException("latent range must rise from 0, got " + from + ".." + to);
    }
    return rebuild((latent, a) -> latent >= from && latent < to ? 0f : a);
  }

  /**
   * Multiplies the activation of a latent in every row where it is active.
   *
   * @param latent index of the latent
   * @param factor the factor
   * @return a changed copy
   */
  public SparseLatents scale(int latent, float factor) {
    checkLatent(latent);
    return rebuild((l, a) -> l == latent ? a * factor : a);
  }

  /**
   * Sets the activation of a latent in every row, whether or not it was active.
   *
   * @param latent index of the latent
   * @param activation the new activation; 0 removes it
   * @return a changed copy
   */
  public SparseLatents set(int latent, float activation) {
    checkLatent(latent);
    if (Float.isNaN(activation)) {
      throw new IllegalArgumentException(
          "set: the activation of latent %d must be a number, got NaN".formatted(latent));
    }
    int[] offsets = new int[rows() + 1];
    int[] latents = new int[activeCount() + rows()];
    float[] values = new float[latents.length];
    int size = 0;
    for (int row = 0; row < rows(); row++) {
      boolean placed = activation == 0f;
      for (int e = csr.rowOffsets()[row]; e < csr.rowOffsets()[row + 1]; e++) {
        if (!placed && csr.latents()[e] >= latent) {
          latents[size] = latent;
          values[size++] = activation;
          placed = true;
        }
        if (csr.latents()[e] != latent) {
          latents[size] = csr.latents()[e];
          values[size++] = csr.values()[e];
        }
      }
      if (!placed) {
        latents[size] = latent;
        values[size++] = activation;
      }
      offsets[row + 1] = size;
    }
    return with(new Csr(offsets, Arrays.copyOf(latents, size), Arrays.copyOf(values, size)));
  }

  /**
   * Keeps some consecutive rows.
   *
   * @param from first row
   * @param to first row not kept
   * @return a copy with leading shape {@code [to - from]}
   */
  public SparseLatents rows(int from, int to) {
    if (from < 0 || to < from || to > rows()) {
      throw new IndexOutOfBoundsException("rows " + from + ".." + to + " of " + rows());
    }
    return new SparseLatents(
        csr.rows(from, to), levels, new long[] {to - from}, tailShape, scaling.slice(from, to));
  }

  /**
   * Makes the dense array that SAELens returns.
   *
   * @param manager owns the result
   * @return {@code [leading shape..., width]} float32
   */
  public NDArray toDense(NDManager manager) {
    Objects.requireNonNull(manager, "manager");
    return csr.toDense(Shapes.join(leadingShape, width()), manager);
  }

  /**
   * Copies the latents to a device.
   *
   * @param manager owns the result, on its device
   * @return the same latents as native arrays
   */
  public DeviceLatents toDevice(NDManager manager) {
    Objects.requireNonNull(manager, "manager");
    return DeviceLatents.of(this, manager);
  }

  /**
   * Writes a safetensors file that {@link #load} and Python read; docs/data-formats.md describes
   * it.
   *
   * @param file the target, replaced at once when all is written
   * @throws IOException if it cannot be written
   */
  public void save(Path file) throws IOException {
    SparseLatentsFile.write(this, file);
  }

  /**
   * Reads a file that {@link #save} wrote.
   *
   * @param file the file
   * @return its content
   * @throws IOException if it cannot be read or is not such a file
   */
  public static SparseLatents load(Path file) throws IOException {
    return SparseLatentsFile.read(file);
  }

  Csr csr() {
    return csr;
  }

  long[] tailShape() {
    return tailShape;
  }

  /** What decoding puts back. */
  RowScaling scaling() {
    return scaling;
  }

  /** Undoes the normalisation of decoded rows, in the shape of the input, for an owner. */
  NDArray restore(NDArray decoded, Normalizer normalizer, NDManager scope, NDManager owner) {
    NDArray restored =
        normalizer
            .restore(decoded, scaling, scope)
            .reshape(Shapes.decoded(leadingShape, tailShape, decoded.getShape().get(1)));
    return Calls.keep(restored, owner);
  }

  /** Tells whether a latent from a bound on is active. */
  boolean reaches(int bound) {
    return Arrays.stream(csr.latents()).anyMatch(latent -> latent >= bound);
  }

  SparseLatents with(Csr changed) {
    return new SparseLatents(changed, levels, leadingShape, tailShape, scaling);
  }

  /** New activation of an active latent. */
  @FunctionalInterface
  private interface Edit {
    float apply(int latent, float activation);
  }

  private SparseLatents rebuild(Edit edit) {
    int[] offsets = new int[rows() + 1];
    int[] latents = new int[activeCount()];
    float[] values = new float[activeCount()];
    int size = 0;
    for (int row = 0; row < rows(); row++) {
      for (int e = csr.rowOffsets()[row]; e < csr.rowOffsets()[row + 1]; e++) {
        float value = edit.apply(csr.latents()[e], csr.values()[e]);
        if (value != 0f) {
          latents[size] = csr.latents()[e];
          values[size++] = value;
        }
      }
      offsets[row + 1] = size;
    }
    return with(new Csr(offsets, Arrays.copyOf(latents, size), Arrays.copyOf(values, size)));
  }

  private void checkRow(int row) {
    if (row < 0 || row >= rows()) {
      throw new IndexOutOfBoundsException(
          "row must lie in 0..%d, got %d (the batch has %d rows)"
              .formatted(rows() - 1, row, rows()));
    }
  }

  private void checkLatent(int latent) {
    if (latent < 0 || latent >= width()) {
      throw new IllegalArgumentException(
          "latent must lie in 0..%d (width %d), got %d".formatted(width() - 1, width(), latent));
    }
  }

  /** Equal are latents of equal shape, levels and activations, and with the same scaling. */
  @Override
  public boolean equals(Object other) {
    return other instanceof SparseLatents o
        && levels.equals(o.levels)
        && Arrays.equals(leadingShape, o.leadingShape)
        && Arrays.equals(tailShape, o.tailShape)
        && Arrays.equals(csr.rowOffsets(), o.csr.rowOffsets())
        && Arrays.equals(csr.latents(), o.csr.latents())
        && Arrays.equals(csr.values(), o.csr.values())
        && Arrays.equals(scaling.scale(), o.scaling.scale())
        && Arrays.equals(scaling.mean(), o.scaling.mean());
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(
        new int[] {
          Arrays.hashCode(csr.rowOffsets()),
          Arrays.hashCode(csr.latents()),
          Arrays.hashCode(csr.values())
        });
  }

  @Override
  public String toString() {
    return "SparseLatents[rows="
        + rows()
        + ", width="
        + width()
        + ", active="
        + activeCount()
        + "]";
  }
}
