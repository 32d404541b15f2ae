package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.LevelSums;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * Sums decoder rows of active latents on the CPU: {@code out[r] = sum_e values[e]
 * W_dec[latents[e]]}, at a cost in proportion to the active latents.
 */
public final class CpuDecoder {

  private final NDArray wDec;
  private final TorchKernels kernels;
  private final int dIn;

  /** The memory of {@code W_dec}, where Java can read it as a whole. */
  private final Optional<FloatBuffer> rows;

  /**
   * Makes the decoder over an array that the caller owns.
   *
   * @param wDec {@code [d_sae, d_in]} decoder weights
   */
  public CpuDecoder(NDArray wDec) {
    this.wDec = wDec;
    this.kernels = TorchKernels.on(wDec.getDevice());
    dIn = Math.toIntExact(wDec.getShape().get(1));
    boolean readable =
        wDec.getDevice().equals(Device.cpu())
            && wDec.getDataType() == DataType.FLOAT32
            && wDec.size() * Float.BYTES <= Integer.MAX_VALUE;
    rows = readable ? Optional.of(floats(wDec)) : Optional.empty();
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
   * @param widths rising prefix widths
   * @param scope owns the results
   * @return one {@code [n, d_in]} per width
   * @throws IllegalArgumentException if a latent is not below the last width
   */
  public NDArray[] decodeNested(Csr csr, int[] widths, NDManager scope) {
    int levels = widths.length;
    int n = csr.rows();
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
            "latent %d is not below the last width %d"
                .formatted(csr.latents()[e], widths[levels - 1]));
      }
    }
    starts[n * levels] = csr.latents().length;
    NDArray parts = decodeBags(csr, starts, n * levels, scope);
    return LevelSums.upToEach(parts, n, levels, scope);
  }

  private NDArray decodeBags(Csr csr, int[] starts, int bags, NDManager scope) {
    Shape shape = new Shape(bags, dIn);
    if (csr.latents().length == 0 || bags == 0) {
      return scope.zeros(shape, wDec.getDataType());
    }
    NDArray sums = scope.create(shape, wDec.getDataType());
    if (rows.isPresent() && Tuning.isSmall((long) csr.latents().length * dIn)) {
      decodeHere(csr, starts, rows.get(), sums);
      return sums;
    }
    int grain =
        Math.max(Tuning.MIN_DECODED_ROWS, bags / (Tuning.TASKS_PER_WORKER * Workers.count()));
    Workers.forRanges(bags, grain, (begin, end) -> decodePart(csr, starts, begin, end, sums));
    return sums;
  }

  /** Fills all sums on this thread, entry after entry. */
  private void decodeHere(Csr csr, int[] starts, FloatBuffer weights, NDArray sums) {
    FloatBuffer target = floats(sums);
    float[] sum = new float[dIn];
    float[] row = new float[dIn];
    for (int bag = 0; bag + 1 < starts.length; bag++) {
      Arrays.fill(sum, 0f);
      for (int e = starts[bag]; e < starts[bag + 1]; e++) {
        weights.get(csr.latents()[e] * dIn, row);
        add(csr.values()[e], row, sum);
      }
      target.put(bag * dIn, sum);
    }
  }

  static void add(float factor, float[] row, float[] sum) {
    for (int d = 0; d < sum.length; d++) {
      sum[d] = Math.fma(factor, row[d], sum[d]);
    }
  }

  private static FloatBuffer floats(NDArray array) {
    return array.toByteBuffer(true).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  /** Fills the sums of the bags from {@code begin} to {@code end - 1}. */
  private void decodePart(Csr csr, int[] starts, int begin, int end, NDArray sums) {
    int first = starts[begin];
    int count = starts[end] - first;
    try (NDManager scope = sums.getManager().newSubManager()) {
      NDArray values = scope.create(Arrays.copyOfRange(csr.values(), first, first + count));
      if (wDec.getDataType() != DataType.FLOAT32) {
        values = values.toType(wDec.getDataType(), false);
      }
      kernels.weightedBags(
          wDec,
          longs(csr.latents(), first, count, 0, scope),
          longs(starts, begin, end - begin, first, scope),
          values,
          sums,
          scope.create(new long[] {begin, end}),
          scope);
    }
  }

  /** Some consecutive numbers, less a base. */
  private static NDArray longs(int[] values, int first, int count, int base, NDManager scope) {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.multiplyExact(count, Long.BYTES))
            .order(ByteOrder.nativeOrder());
    for (int i = 0; i < count; i++) {
      bytes.putLong(values[first + i] - base);
    }
    return scope.create(bytes.rewind(), new Shape(count), DataType.INT64);
  }
}
