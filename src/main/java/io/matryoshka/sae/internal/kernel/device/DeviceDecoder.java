package io.matryoshka.sae.internal.kernel.device;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.DeviceCsr;
import io.matryoshka.sae.internal.kernel.LevelSums;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import io.matryoshka.sae.internal.kernel.torch.TorchMethod;
import java.util.Arrays;

/**
 * Sums decoder rows of active latents that are on a device, without a way through Java memory:
 * {@code out[r] = sum_e values[e] W_dec[latents[e]]}.
 */
public final class DeviceDecoder {

  private final NDArray wDec;
  private final TorchKernels kernels;
  private final TorchMethod sumsMethod;

  /**
   * Makes the decoder over an array that the caller owns.
   *
   * @param wDec {@code [d_sae, d_in]} decoder weights
   */
  public DeviceDecoder(NDArray wDec) {
    this.wDec = wDec;
    this.kernels = TorchKernels.on(wDec.getDevice());
    // On CUDA a sparse product is 4 times faster than bags, but the order of its sums varies.
    this.sumsMethod = wDec.getDevice().isGpu() ? TorchMethod.SPARSE_SUMS : TorchMethod.BAG_SUMS;
  }

  /**
   * Decodes without bias.
   *
   * @param csr active latents, all below {@code d_sae}, on the device of the weights
   * @param scope owns the result
   * @return {@code [n, d_in]}, which may be an array that cannot be changed in place
   */
  public NDArray decode(DeviceCsr csr, NDManager scope) {
    return sums(csr, csr.rowOffsets(), csr.rows(), scope);
  }

  /**
   * Decodes every prefix without bias, in one pass over the active latents: each entry is added
   * once, to the level it belongs to, then the levels are summed up.
   *
   * @param csr active latents, all below the last width
   * @param widths rising prefix widths
   * @param scope owns the results
   * @return one {@code [n, d_in]} per width, which may be arrays that cannot be changed in place
   */
  public NDArray[] decodeNested(DeviceCsr csr, int[] widths, NDManager scope) {
    int levels = widths.length;
    long bags = Math.multiplyExact((long) csr.rows(), levels);
    NDArray parts;
    try (NDManager inner = scope.newSubManager();
        NDManager host = scope.newSubManager(Device.cpu())) {
      NDArray ends = inner.create(Arrays.stream(widths).asLongStream().toArray());
      NDArray keys = kernels.call(TorchMethod.LEVEL_KEYS, csr.rowOffsets(), csr.latents(), ends);
      keys.attach(inner);
      NDArray starts = kernels.call(TorchMethod.STARTS, keys, host.create(bags));
      parts = sums(csr, starts, bags, scope);
    }
    return LevelSums.upToEach(parts, csr.rows(), levels, scope);
  }

  /**
   * Divides each activation by the number of its latent.
   *
   * @param csr active latents
   * @param norms {@code [d_sae]} float32
   * @param scope owns the new activations
   * @return the latents with the quotients
   */
  public DeviceCsr overNorms(DeviceCsr csr, NDArray norms, NDManager scope) {
    NDArray values = kernels.call(TorchMethod.OVER_NORMS, csr.values(), csr.latents(), norms);
    values.attach(scope);
    return new DeviceCsr(csr.rowOffsets(), csr.latents(), values);
  }

  /**
   * Writes active latents into dense rows.
   *
   * @param csr active latents
   * @param width number of latents of a row
   * @param owner owns the result
   * @return {@code [n, width]} float32
   */
  public static NDArray dense(DeviceCsr csr, int width, NDManager owner) {
    NDArray rows =
        owner.zeros(new Shape(csr.rows(), width), DataType.FLOAT32, csr.values().getDevice());
    TorchKernels kernels = TorchKernels.on(rows.getDevice());
    kernels
        .call(TorchMethod.DENSE_ROWS, csr.rowOffsets(), csr.latents(), csr.values(), rows)
        .close();
    return rows;
  }

  private NDArray sums(DeviceCsr csr, NDArray starts, long bags, NDManager scope) {
    DataType type = wDec.getDataType();
    if (csr.values().size() == 0 || bags == 0) {
      return scope.zeros(new Shape(bags, wDec.getShape().get(1)), type);
    }
    try (NDManager inner = scope.newSubManager()) {
      NDArray values = csr.values();
      if (values.getDataType() != type) {
        values = values.toType(type, false);
        values.attach(inner);
      }
      NDArray sums = kernels.call(sumsMethod, csr.latents(), starts, values, wDec);
      sums.attach(scope);
      return sums;
    }
  }
}
