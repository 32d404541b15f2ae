package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.matryoshka.sae.internal.kernel.DeviceCsr;
import io.matryoshka.sae.internal.kernel.device.DeviceDecoder;
import io.matryoshka.sae.internal.model.ArrayScaling;
import io.matryoshka.sae.internal.model.Normalizer;
import io.matryoshka.sae.internal.model.PreparedRows;
import io.matryoshka.sae.internal.model.Shapes;
import java.util.Objects;

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
  private final Levels levels;
  private final long[] leadingShape;
  private final long[] tailShape;
  private final ArrayScaling scaling;

  DeviceLatents(
      DeviceCsr csr, Levels levels, long[] leadingShape, long[] tailShape, ArrayScaling scaling) {
    this.csr = csr;
    this.levels = levels;
    this.leadingShape = leadingShape;
    this.tailShape = tailShape;
    this.scaling = scaling;
  }

  /** The latents of prepared rows, handed to a manager. */
  static DeviceLatents of(DeviceCsr csr, Levels levels, PreparedRows rows, NDManager owner) {
    DeviceLatents latents =
        new DeviceLatents(csr, levels, rows.leadingShape(), rows.tailShape(), rows.scaling());
    latents.attach(owner);
    return latents;
  }

  /** Copies latents to the device of a manager. */
  static DeviceLatents of(SparseLatents latents, NDManager owner) {
    return new DeviceLatents(
        DeviceCsr.of(latents.csr(), owner.getDevice(), owner),
        latents.levels(),
        latents.leadingShape(),
        latents.tailShape(),
        latents.scaling().toArrays(DataType.FLOAT32, owner));
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
    return new SparseLatents(csr.toHost(), levels, leadingShape, tailShape, scaling.toHost());
  }

  /**
   * Makes the dense array that SAELens returns.
   *
   * @return {@code [leading shape..., width]} float32 on the same device, attached to the manager
   *     of these latents
   */
  public NDArray toDense() {
    try (NDArray rows = DeviceDecoder.dense(csr, width(), manager())) {
      return rows.reshape(Shapes.join(leadingShape, width()));
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
    scaling.attach(manager);
  }

  /** Releases the arrays. Closing twice is fine. */
  @Override
  public void close() {
    csr.close();
    scaling.arrays().close();
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

  /** What decoding puts back. */
  ArrayScaling scaling() {
    return scaling;
  }

  /**
   * Undoes the normalisation of decoded rows, in the shape of the input, for the manager of these.
   */
  NDArray restore(NDArray decoded, Normalizer normalizer) {
    NDArray restored =
        normalizer
            .restore(decoded, scaling)
            .reshape(Shapes.decoded(leadingShape, tailShape, decoded.getShape().get(1)));
    return Calls.keep(restored, manager());
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
    return "DeviceLatents[rows="
        + rows()
        + ", width="
        + width()
        + ", active="
        + activeCount()
        + "]";
  }
}
