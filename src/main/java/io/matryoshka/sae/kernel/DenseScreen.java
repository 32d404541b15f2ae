package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.util.Arrays;

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

  /**
   * Finds the latents whose pre-activation could exceed its limit, with upper bounds.
   *
   * @param input {@code [group, d_in]} the rows
   * @param norms upper bounds of their norms
   * @param tile which latents
   * @param scope owns temporaries
   */
  TileCandidates screen(NDArray input, float[] norms, Tile tile, NDManager scope) {
    TileCandidates found = new TileCandidates(norms.length, true);
    try (NDManager tileScope = scope.newSubManager()) {
      float[] z = products(input, tile, tileScope).toFloatArray();
      for (int row = 0; row < norms.length; row++) {
        float error = error(norms[row]);
        for (int j = 0; j < tile.count(); j++) {
          int latent = tile.first() + j;
          float product = z[row * tile.count() + j] * scale[latent];
          float upper = product + error * terms.norm[latent] + terms.offset[latent];
          if (!(upper < 0)) {
            found.add(latent, upper);
          }
        }
        found.endRow(row);
      }
    }
    return found;
  }

  private NDArray products(NDArray input, Tile tile, NDManager scope) {
    int rowBytes = encoder.dIn * Float.BYTES;
    int position = tile.first() % encoder.segmentLatents * rowBytes;
    ByteBuffer bytes =
        encoder.rows[tile.first() / encoder.segmentLatents].slice(
            position, tile.count() * rowBytes);
    NDArray w = scope.create(bytes, new Shape(tile.count(), encoder.dIn), DataType.FLOAT32);
    NDArray z = kernels.product(input, w);
    z.attach(scope);
    return z;
  }

  /** Drops what cannot be among the {@code k} largest, given the width of the float32 bound. */
  void keepTop(Candidates found, int k, float norm) {
    if (found.size <= k) {
      return;
    }
    float[] lower = new float[found.size];
    for (int c = 0; c < found.size; c++) {
      int latent = found.latents[c];
      float spread = terms.offset[latent] - terms.lowOffset[latent];
      float low = found.bound(c) - 2.01f * terms.norm[latent] * error(norm) - spread;
      lower[c] = low - Math.abs(low) * 0x1p-18f;
    }
    Arrays.sort(lower);
    found.dropBelow(lower[lower.length - k]);
  }

  private float error(float norm) {
    return Rounding.up(terms.dotError * norm * Rounding.INFLATE);
  }
}
