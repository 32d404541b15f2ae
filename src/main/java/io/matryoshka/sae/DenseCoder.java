package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.nn.Activation;
import java.util.Arrays;

/** Encoding and decoding of dense latents by the formulas as they stand. */
final class DenseCoder {

  private final SaeWeights weights;
  private final int width;

  DenseCoder(SaeWeights weights, int width) {
    this.weights = weights;
    this.width = width;
  }

  /** {@code relu(z) * (z > threshold)}, {@code [n, width]}, owned by the scope of the call. */
  NDArray encode(InputRows input, NDManager scope) {
    NDArray z = weights.reference().preActivations(input.prepared, width);
    NDArray limit =
        scope.create(Arrays.copyOf(weights.threshold, width)).toType(z.getDataType(), false);
    return Activation.relu(z).mul(z.gt(limit).toType(z.getDataType(), false));
  }

  /** {@code f W_dec} without bias for rows of latents of any width, owned by the scope. */
  NDArray decode(NDArray latents, NDManager scope) {
    int latentWidth = (int) latents.getShape().get(1);
    NDArray scaled = latents;
    if (weights.decoderNorms().isPresent()) {
      float[] norms = Arrays.copyOf(weights.decoderNorms().get(), latentWidth);
      scaled = latents.div(scope.create(norms).toType(latents.getDataType(), false));
    }
    NDArray rows = weights.wDec().get(new NDIndex(":" + latentWidth));
    rows.attach(scope);
    return scaled.matMul(rows);
  }
}
