package io.matryoshka.sae.internal.kernel.device;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import io.matryoshka.sae.internal.kernel.torch.TorchMethod;

/**
 * What the kernel reads of one encoder, on its device: the encoder rows of the caller, and int8
 * codes of them with what the bound needs. Factors on pre-activations are multiplied in.
 *
 * @param rows {@code [d_sae, d_in]} float32
 * @param codes int8, both sizes padded with zeros to multiples of 8 as int8 products on CUDA demand
 * @param step {@code [d_sae]} value of one code unit
 * @param norms {@code [d_sae, 2]} upper bounds of the norms of the row and of what its codes miss
 * @param scale {@code [d_sae]} factor on pre-activations
 */
record DeviceEncoderRows(NDArray rows, NDArray codes, NDArray step, NDArray norms, NDArray scale) {

  /** int8 products on CUDA take sizes that are multiples of it. */
  static final int ALIGNMENT = 8;

  /** Weights that are quantised together; they take about 40 bytes each meanwhile. */
  private static final int CHUNK_WEIGHTS = 1 << 22;

  /**
   * Quantises an encoder on its device.
   *
   * @param rows {@code [d_sae, d_in]} float32
   * @param scale {@code [d_sae]} float32
   * @param owner owns what is made
   */
  static DeviceEncoderRows of(NDArray rows, NDArray scale, TorchKernels kernels, NDManager owner) {
    int dSae = Math.toIntExact(rows.getShape().get(0));
    int dIn = Math.toIntExact(rows.getShape().get(1));
    int chunk = Math.max(ALIGNMENT, CHUNK_WEIGHTS / dIn);
    try (NDManager scope = owner.newSubManager()) {
      NDList codes = new NDList();
      NDList steps = new NDList();
      NDList norms = new NDList();
      for (int begin = 0; begin < dSae; begin += chunk) {
        String range = begin + ":" + Math.min(dSae, begin + chunk);
        NDList parts =
            kernels.callAll(
                TorchMethod.ENCODER_CODES, part(rows, range, scope), part(scale, range, scope));
        codes.add(parts.get(0));
        steps.add(parts.get(1));
        norms.add(parts.get(2));
      }
      int padding = Math.floorMod(-dSae, ALIGNMENT);
      if (padding > 0) {
        long inner = codes.get(0).getShape().get(1);
        codes.add(scope.zeros(new Shape(padding, inner), DataType.INT8));
      }
      return new DeviceEncoderRows(
          rows, joined(codes, owner), joined(steps, owner), joined(norms, owner), scale);
    }
  }

  private static NDArray part(NDArray array, String range, NDManager scope) {
    NDArray part = array.get(new NDIndex(range));
    part.attach(scope);
    return part;
  }

  private static NDArray joined(NDList parts, NDManager owner) {
    NDArray joined = parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts);
    joined.attach(owner);
    return joined;
  }

  /** What the screening methods read, with int8 products or with float32 products. */
  NDList screened(boolean int8) {
    return int8 ? new NDList(rows, codes, step, norms, scale) : new NDList(rows, norms, scale);
  }

  /** Bytes of the arrays that were made here. */
  long bytes() {
    return codes.size() + Float.BYTES * (step.size() + norms.size());
  }
}
