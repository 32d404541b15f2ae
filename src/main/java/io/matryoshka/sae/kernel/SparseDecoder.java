package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Sums decoder rows of active latents: {@code out[r] = sum_e values[e] W_dec[latents[e]]}, at a
 * cost in proportion to the active latents.
 */
public final class SparseDecoder {

  private final NDArray wDec;
  private final TorchKernels kernels;

  /**
   * Makes the decoder over an array that the caller owns.
   *
   * @param wDec {@code [d_sae, d_in]} decoder weights
   */
  public SparseDecoder(NDArray wDec) {
    this.wDec = wDec;
    this.kernels = TorchKernels.on(wDec.getDevice());
  }

  /**
   * Decodes without bias.
   *
   * @param csr active latents, all below {@code d_sae}
   * @param scope owns the result
   * @return {@code [n, d_in]}
   */
  public NDArray decode(Csr csr, NDManager scope) {
    return decodeBags(csr, csr.rowOffsets(), csr.rows(), scope);
  }

  /**
   * Decodes every prefix without bias, in one pass over the active latents: each entry is added
   * once, to the level it belongs to, then the levels are summed up.
   *
   * @param csr active latents
   * @param widths rising prefix widths; entries at or above the last are left out
   * @param scope owns the results
   * @return one {@code [n, d_in]} per width
   */
  public NDArray[] decodeNested(Csr csr, int[] widths, NDManager scope) {
    int levels = widths.length;
    int n = csr.rows();
    NDArray[] results = new NDArray[levels];
    int[] starts = new int[n * levels + 1];
    for (int row = 0; row < n; row++) {
      int e = csr.rowOffsets()[row];
      for (int level = 0; level < levels; level++) {
        starts[row * levels + level] = e;
        while (e < csr.rowOffsets()[row + 1] && csr.latents()[e] < widths[level]) {
          e++;
        }
      }
      if (e < csr.rowOffsets()[row + 1]) {
        throw new IllegalArgumentException(
            "latent " + csr.latents()[e] + " is not below the last width " + widths[levels - 1]);
      }
    }
    starts[n * levels] = csr.latents().length;
    NDArray parts = decodeBags(csr, starts, n * levels, scope);
    NDArray byLevel = parts.reshape(n, levels, wDec.getShape().get(1));
    byLevel.attach(scope);
    for (int level = 0; level < levels; level++) {
      results[level] = byLevel.get(":, {}", level);
      results[level].attach(scope);
      if (level > 0) {
        results[level] = results[level].add(results[level - 1]);
      }
    }
    return results;
  }

  private NDArray decodeBags(Csr csr, int[] starts, int bags, NDManager scope) {
    if (csr.latents().length == 0 || bags == 0) {
      return scope.zeros(new Shape(bags, wDec.getShape().get(1)), wDec.getDataType());
    }
    NDArray offsets = longs(starts, bags, scope);
    NDArray latents = longs(csr.latents(), csr.latents().length, scope);
    NDArray values = scope.create(csr.values());
    if (wDec.getDataType() != DataType.FLOAT32) {
      values = values.toType(wDec.getDataType(), false);
    }
    NDArray sums = kernels.weightedBag(wDec, latents, offsets, values);
    sums.attach(scope);
    return sums;
  }

  private NDArray longs(int[] values, int count, NDManager scope) {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.multiplyExact(count, Long.BYTES))
            .order(ByteOrder.nativeOrder());
    for (int i = 0; i < count; i++) {
      bytes.putLong(values[i]);
    }
    return scope.create(bytes.rewind(), new Shape(count), DataType.INT64);
  }
}
