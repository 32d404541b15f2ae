package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Screening with a float32 product over all latents, for rows on which the int8 bound is not
 * useful. The bound is the rounding of two float32 products.
 */
final class DenseScreen {

  private final EncoderRows encoder;
  private final LatentTerms terms;
  private final float[] scale;
  private final TorchKernels kernels;

  DenseScreen(EncoderRows encoder, LatentTerms terms, float[] scale, TorchKernels kernels) {
    this.encoder = encoder;
    this.terms = terms;
    this.scale = scale;
    this.kernels = kernels;
  }

  NDArray products(NDArray input, int first, int count, NDManager scope) {
    int segment = first / encoder.segmentLatents;
    int rowBytes = encoder.dIn * Float.BYTES;
    ByteBuffer bytes =
        encoder.rows[segment].slice(first % encoder.segmentLatents * rowBytes, count * rowBytes);
    NDArray w = scope.create(bytes, new Shape(count, encoder.dIn), DataType.FLOAT32);
    NDArray z = kernels.product(input, w);
    z.attach(scope);
    return z;
  }

  void scan(
      NDArray products,
      List<Integer> group,
      QuantisedRows rows,
      int first,
      int count,
      Candidates[] found) {
    float[] z = products.toFloatArray();
    for (int g = 0; g < group.size(); g++) {
      int row = group.get(g);
      float error = error(rows.norm[row]);
      for (int j = 0; j < count; j++) {
        int latent = first + j;
        float upper =
            z[g * count + j] * scale[latent] + error * terms.norm[latent] + terms.offset[latent];
        if (!(upper < 0)) {
          found[row].add(latent, upper);
        }
      }
    }
  }

  /** Drops what cannot be among the {@code k} largest, given the width of the float32 bound. */
  static void keepTop(Candidates found, int k, float norm, LatentTerms terms) {
    if (found.size <= k) {
      return;
    }
    float[] lower = new float[found.size];
    for (int c = 0; c < found.size; c++) {
      int latent = found.latents[c];
      float spread = terms.offset[latent] - terms.lowOffset[latent];
      float low = found.bounds[c] - 2.01f * terms.norm[latent] * errorOf(terms, norm) - spread;
      lower[c] = low - Math.abs(low) * 0x1p-18f;
    }
    Arrays.sort(lower);
    found.dropBelow(lower[lower.length - k]);
  }

  private float error(float norm) {
    return errorOf(terms, norm);
  }

  private static float errorOf(LatentTerms terms, float norm) {
    return Rounding.up(terms.dotError * norm * Rounding.INFLATE);
  }
}
