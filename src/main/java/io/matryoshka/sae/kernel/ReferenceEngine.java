package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;

/**
 * The plain encoder: {@code z = (x W_enc + b_enc) * scale} for all latents through the engine's own
 * operations, on any device and in the dtype of its weights. The judge of the fast engine.
 */
public final class ReferenceEngine implements EncodeEngine {

  /** Rows per dense block: bounds the pre-activations held at once to 256 rows. */
  private static final int BLOCK_ROWS = 256;

  private final NDArray wEnc;
  private final NDArray bEnc;
  private final NDArray latentScale;
  private final float[] threshold;

  /**
   * Makes the engine over arrays that the caller owns.
   *
   * @param wEnc {@code [d_in, d_sae]} encoder weights
   * @param bEnc {@code [d_sae]} encoder bias
   * @param latentScale {@code [d_sae]} factor on pre-activations, ones where there is none
   * @param threshold {@code [d_sae]} thresholds, zeros where there are none
   */
  public ReferenceEngine(NDArray wEnc, NDArray bEnc, NDArray latentScale, float[] threshold) {
    this.wEnc = wEnc;
    this.bEnc = bEnc;
    this.latentScale = latentScale;
    this.threshold = threshold;
  }

  /**
   * Computes all pre-activations.
   *
   * @param rows {@code [n, d_in]} prepared activations
   * @param width number of leading latents
   * @return {@code [n, width]} on the manager of {@code rows}
   */
  public NDArray preActivations(NDArray rows, int width) {
    try (NDManager scope = rows.getManager().newSubManager()) {
      NDArray weights = wEnc.get(new NDIndex(":, :" + width));
      weights.attach(scope);
      NDArray bias = bEnc.get(new NDIndex(":" + width));
      bias.attach(scope);
      NDArray scale = latentScale.get(new NDIndex(":" + width));
      scale.attach(scope);
      NDArray z = rows.matMul(weights);
      z.addi(bias);
      z.muli(scale);
      return z;
    }
  }

  @Override
  public Csr encode(NDArray rows, int width, Rule rule) {
    float[] limits = Limits.of(rule, threshold);
    int n = Math.toIntExact(rows.getShape().get(0));
    CsrBuilder out = new CsrBuilder(n);
    for (int begin = 0; begin < n; begin += BLOCK_ROWS) {
      int end = Math.min(n, begin + BLOCK_ROWS);
      appendBlock(rows, begin, end, width, limits, out);
    }
    return Selector.select(out.build(), rule);
  }

  private void appendBlock(
      NDArray rows, int begin, int end, int width, float[] limits, CsrBuilder out) {
    float[] z;
    try (NDManager scope = rows.getManager().newSubManager()) {
      NDArray block = rows.get(new NDIndex(begin + ":" + end));
      block.attach(scope);
      NDArray pre = preActivations(block, width);
      z = pre.toType(DataType.FLOAT32, false).toFloatArray();
    }
    for (int row = 0; row < end - begin; row++) {
      int base = row * width;
      for (int latent = 0; latent < width; latent++) {
        if (Limits.passes(z[base + latent], limits[latent])) {
          out.add(latent, z[base + latent]);
        }
      }
      out.endRow();
    }
  }
}
