package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Everything that is added to the int8 product before the test, for a block of rows and all
 * latents, as one small matrix product: {@code [radius factors, 1 / step, outliers] x [norms,
 * offset, W_enc of the outlier dimensions]}, in code units. So the test of a latent is one addition
 * and one comparison.
 */
final class BoundMatrix {

  private final NDArray rowFactors;
  private final NDArray latentFactors;

  /**
   * Prepares the two factors.
   *
   * @param rows the block
   * @param latentTerms {@code [3, d_sae]} of {@link LatentTerms}
   * @param perStep {@code [d_sae]} factor from float32 products to code units of each latent
   * @param wEnc {@code [d_in, d_sae]}, of which the outlier dimensions are read
   * @param width leading latents to look at
   * @param scope owns temporaries
   */
  BoundMatrix(
      QuantisedRows rows,
      NDArray latentTerms,
      NDArray perStep,
      NDArray wEnc,
      int width,
      NDManager scope) {
    int[] dims = rows.outliers;
    int columns = LatentTerms.TERMS + dims.length;
    float[] factors = new float[rows.rows * columns];
    for (int row = 0; row < rows.rows; row++) {
      if (!rows.screenable[row]) {
        continue;
      }
      int base = row * columns;
      float inverse = 1f / rows.step[row];
      factors[base] = rows.normFactor[row];
      factors[base + 1] = rows.residualFactor[row];
      factors[base + 2] = inverse;
      for (int d = 0; d < dims.length; d++) {
        factors[base + LatentTerms.TERMS + d] = rows.values[row * rows.dIn + dims[d]] * inverse;
      }
    }
    rowFactors = scope.create(factors, new Shape(rows.rows, columns));
    NDArray terms = part(latentTerms, ":, :" + width, scope);
    latentFactors =
        dims.length == 0
            ? terms
            : owned(
                NDArrays.concat(
                    new NDList(terms, outlierWeights(dims, perStep, wEnc, width, scope))),
                scope);
  }

  private static NDArray outlierWeights(
      int[] dims, NDArray perStep, NDArray wEnc, int width, NDManager scope) {
    NDList lines = new NDList(dims.length);
    for (int dim : dims) {
      lines.add(part(wEnc, dim + ":" + (dim + 1) + ", :" + width, scope));
    }
    NDArray weights = dims.length == 1 ? lines.get(0) : owned(NDArrays.concat(lines), scope);
    return weights.mul(part(perStep, ":" + width, scope));
  }

  /** The sums for some consecutive latents, {@code [n, count]} row-major. */
  FloatBuffer of(int first, int count, NDManager scope) {
    NDArray factors = part(latentFactors, ":, " + first + ":" + (first + count), scope);
    NDArray sums = owned(rowFactors.matMul(factors), scope);
    return sums.toByteBuffer(true).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  private static NDArray part(NDArray array, String index, NDManager scope) {
    return owned(array.get(new NDIndex(index)), scope);
  }

  private static NDArray owned(NDArray array, NDManager scope) {
    array.attach(scope);
    return array;
  }
}
