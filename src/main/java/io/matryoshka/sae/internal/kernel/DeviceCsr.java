package io.matryoshka.sae.internal.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.matryoshka.sae.internal.kernel.torch.HostCopy;

/**
 * Active latents of a block of rows in compressed sparse row form, on a device.
 *
 * @param rowOffsets {@code [n + 1]} int64, row {@code r} owns the entries {@code rowOffsets[r] ..
 *     rowOffsets[r + 1] - 1}
 * @param latents {@code [nnz]} int64, latent of each entry, rising within a row
 * @param values {@code [nnz]} float32, activation of each entry
 */
public record DeviceCsr(NDArray rowOffsets, NDArray latents, NDArray values) {

  /**
   * Copies active latents to a device.
   *
   * @param csr active latents in Java memory
   * @param device where the result is
   * @param owner owns the result
   * @return the same latents on the device
   */
  public static DeviceCsr of(Csr csr, Device device, NDManager owner) {
    try (NDManager scope = owner.newSubManager(device)) {
      NDArray offsets = scope.create(csr.rowOffsets()).toType(DataType.INT64, false);
      NDArray latents = scope.create(csr.latents()).toType(DataType.INT64, false);
      DeviceCsr result = new DeviceCsr(offsets, latents, scope.create(csr.values()));
      result.attach(owner);
      return result;
    }
  }

  /**
   * Copies the latents into Java memory.
   *
   * @return the same latents
   * @throws IllegalStateException if there are more than {@code 2^31 - 1}
   */
  public Csr toHost() {
    if (values.size() > Integer.MAX_VALUE) {
      throw new IllegalStateException(
          values.size()
              + " active latents do not fit in Java arrays; encode fewer tokens at a time");
    }
    return new Csr(HostCopy.ints(rowOffsets), HostCopy.ints(latents), HostCopy.floats(values));
  }

  /**
   * Returns the number of rows.
   *
   * @return {@code n}
   */
  public int rows() {
    return Math.toIntExact(rowOffsets.size() - 1);
  }

  /** Releases the arrays. */
  public void close() {
    rowOffsets.close();
    latents.close();
    values.close();
  }

  /**
   * Hands the arrays to a manager, which closes them.
   *
   * @param owner the new owner
   */
  public void attach(NDManager owner) {
    new NDList(rowOffsets, latents, values).attach(owner);
  }
}
