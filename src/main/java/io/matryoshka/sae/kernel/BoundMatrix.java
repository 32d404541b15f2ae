package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Everything that is added to the int8 product before the test, for a block of rows, as one small
 * matrix product per tile: {@code [radius factors, 1 / step, outliers] x [norms, offset, W_enc of
 * the outlier dimensions]}, in code units. So the test of a latent is one addition and one
 * comparison.
 */
final class BoundMatrix {

  private final int rows;
  private final NDArray rowFactors;
  private final NDArray outliers;
  private final LatentArrays latents;
  private final TorchKernels kernels;

  /**
   * What the bounds need of the latents, as native arrays.
   *
   * @param upper {@code [3, d_sae]} of {@link LatentTerms#upperTerms}
   * @param lower {@code [3, d_sae]} of {@link LatentTerms#lowerTerms}
   * @param perStep {@code [d_sae]} factor from float32 products to code units of each latent
   * @param wEnc {@code [d_in, d_sae]}, of which the outlier dimensions are read
   */
  record LatentArrays(NDArray upper, NDArray lower, NDArray perStep, NDArray wEnc) {}

  /**
   * Prepares the factors of the rows.
   *
   * @param block the rows
   * @param latents the factors of the latents
   * @param kernels of the device
   * @param scope owns temporaries
   */
  BoundMatrix(QuantisedRows block, LatentArrays latents, TorchKernels kernels, NDManager scope) {
    this.rows = block.rows;
    this.latents = latents;
    this.kernels = kernels;
    int[] dims = block.outliers;
    int columns = LatentTerms.TERMS + dims.length;
    float[] factors = new float[rows * columns];
    for (int row = 0; row < rows; row++) {
      if (!block.screenable[row]) {
        continue;
      }
      int base = row * columns;
      float inverse = 1f / block.step[row];
      factors[base] = block.normFactor[row];
      factors[base + 1] = block.residualFactor[row];
      factors[base + 2] = inverse;
      for (int d = 0; d < dims.length; d++) {
        factors[base + LatentTerms.TERMS + d] = block.value(row, dims[d]) * inverse;
      }
    }
    rowFactors = scope.create(factors, new Shape(rows, columns));
    outliers =
        dims.length == 0
            ? scope.zeros(new Shape(0), DataType.INT64)
            : scope.create(Arrays.stream(dims).asLongStream().toArray());
  }

  /** Added to a product of the tile, it is below 0 only where the latent cannot be active. */
  FloatBuffer upper(Tile tile, NDManager scope) {
    return sums(latents.upper, tile, Workers.buffers().upper(), scope);
  }

  /** Added to a product of the tile, a lower bound of the pre-activation less its limit. */
  FloatBuffer lower(Tile tile, NDManager scope) {
    return sums(latents.lower, tile, Workers.buffers().lower(), scope);
  }

  /** {@code [rows, count]} row-major, in the given memory. */
  private FloatBuffer sums(NDArray terms, Tile tile, ByteBuffer memory, NDManager scope) {
    memory.clear().limit(rows * tile.count() * Float.BYTES);
    ByteBuffer target = memory.slice().order(ByteOrder.nativeOrder());
    NDArray out = scope.create(target, new Shape(rows, tile.count()), DataType.FLOAT32);
    NDArray span = scope.create(new long[] {tile.first(), tile.end()});
    kernels.boundSums(
        new TorchKernels.BoundFactors(rowFactors, terms, latents.wEnc, outliers, latents.perStep),
        span,
        out,
        scope);
    return target.asFloatBuffer();
  }
}
