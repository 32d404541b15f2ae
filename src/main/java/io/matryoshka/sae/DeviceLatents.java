package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.kernel.DeviceCsr;
import io.matryoshka.sae.kernel.DeviceDecoder;
import java.util.Objects;
import java.util.Optional;

/**
 * The active latents of a batch of tokens as native arrays, in compressed sparse row form: what
 * {@link SparseLatents} holds in Java memory, on the device of the SAE. Decoding them needs no way
 * through Java memory. Any device will do, the CPU included.
 *
 * <p>The arrays belong to a manager, at first that of the input, and are closed with it or by
 * {@link #close()}. They cannot be changed in place; {@link #toHost()} gives latents to edit. Safe
 * for concurrent use.
 */
public final class DeviceLatents implements AutoCloseable {

  private final DeviceCsr csr;
  private final int width;
  private final long[] leadingShape;
  private final long[] tailShape;

  /** {@code [n, 1]} factor and mean that decoding puts back; null where there is none. */
  private final NDArray scale;

  private final NDArray mean;

  DeviceLatents(
      DeviceCsr csr,
      int width,
      long[] leadingShape,
      long[] tailShape,
      NDArray scale,
      NDArray mean) {
    this.csr = csr;
    this.width = width;
    this.leadingShape = leadingShape;
    this.tailShape = tailShape;
    this.scale = scale;
    this.mean = mean;
  }

  /** Copies latents to the device of a manager. */
  static DeviceLatents of(SparseLatents latents, NDManager owner) {
    Optional<RowScaling> scaling = latents.scaling();
    Shape column = new Shape(latents.rows(), 1);
    return new DeviceLatents(
        DeviceCsr.of(latents.csr(), owner.getDevice(), owner),
        latents.width(),
        latents.leadingShape(),
        latents.tailShape(),
        scaling.map(s -> owner.create(s.scale(), column)).orElse(null),
        scaling.map(s -> owner.create(s.mean(), column)).orElse(null));
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
    return width;
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
  public long activeCount() {
    return csr.values().size();
  }

  /**
   * Returns the row offsets: row {@code r} has the entries from {@code rowOffsets[r]} to {@code
   * rowOffsets[r + 1] - 1}.
   *
   * @return {@code [n + 1]} int64, not a copy
   */
  public NDArray rowOffsets() {
    return csr.rowOffsets();
  }

  /**
   * Returns the latents of all rows, rising within a row.
   *
   * @return {@code [nnz]} int64, not a copy
   */
  public NDArray latents() {
    return csr.latents();
  }

  /**
   * Returns the activations of all rows.
   *
   * @return {@code [nnz]} float32, not a copy
   */
  public NDArray activations() {
    return csr.values();
  }

  /**
   * Copies the latents into Java memory.
   *
   * @return the same latents, to read and edit
   * @throws IllegalStateException if there are more than {@code 2^31 - 1}
   */
  public SparseLatents toHost() {
    return new SparseLatents(
        csr.toHost(), width, leadingShape, tailShape, InputRows.scaling(scale, mean, rows()));
  }

  /**
   * Makes the dense array that SAELens returns.
   *
   * @return {@code [leading shape..., width]} float32 on the same device, attached to the manager
   *     of these latents
   */
  public NDArray toDense() {
    try (NDArray rows = DeviceDecoder.dense(csr, width, manager())) {
      return rows.reshape(Shapes.join(leadingShape, width));
    }
  }

  /**
   * Hands the arrays to another manager.
   *
   * @param manager closes the arrays when it is closed
   */
  public void attach(NDManager manager) {
    Objects.requireNonNull(manager, "manager");
    csr.attach(manager);
    if (scale != null) {
      scale.attach(manager);
    }
    if (mean != null) {
      mean.attach(manager);
    }
  }

  /** Releases the arrays. Closing twice is fine. */
  @Override
  public void close() {
    csr.close();
    if (scale != null) {
      scale.close();
    }
    if (mean != null) {
      mean.close();
    }
  }

  DeviceCsr csr() {
    return csr;
  }

  long[] tailShape() {
    return tailShape;
  }

  NDManager manager() {
    return csr.values().getManager();
  }

  Optional<NDArray> scale() {
    return Optional.ofNullable(scale);
  }

  Optional<NDArray> mean() {
    return Optional.ofNullable(mean);
  }

  /** Tells whether a latent from a bound on is active. */
  boolean reaches(int bound) {
    if (activeCount() == 0) {
      return false;
    }
    try (NDManager scope = manager().newSubManager()) {
      NDArray largest = csr.latents().max();
      largest.attach(scope);
      return largest.toType(DataType.INT64, false).getLong() >= bound;
    }
  }

  @Override
  public String toString() {
    return "DeviceLatents[rows=" + rows() + ", width=" + width + ", active=" + activeCount() + "]";
  }
}
