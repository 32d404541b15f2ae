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
    NDArray limit = weights.thresholdArray().get(new NDIndex(":" + width));
    limit.attach(scope);
    return Activation.relu(z).mul(z.gt(limit).toType(z.getDataType(), false));
  }

  /** {@code decode(encode(x))}, {@code [n, d_in]} with all that decoding puts back. */
  NDArray roundTrip(InputRows input, NDManager scope) {
    return restored(decode(encode(input, scope), scope), input);
  }

  /** The same for every width, where each level of latents is multiplied once. */
  NDArray[] roundTrips(InputRows input, int[] widths, NDManager scope) {
    NDArray latents = scaled(encode(input, scope), scope);
    NDArray[] results = new NDArray[widths.length];
    NDArray sums = null;
    int begin = 0;
    for (int level = 0; level < widths.length; level++) {
      NDArray part = columns(latents, begin, widths[level], scope);
      NDArray sum = part.matMul(decoderRows(begin, widths[level], scope));
      sums = sums == null ? sum : sums.add(sum);
      results[level] = restored(sums, input);
      begin = widths[level];
    }
    return results;
  }

  private NDArray restored(NDArray sums, InputRows input) {
    NDArray rows = weights.restore(sums.add(weights.bDecArray()), input.scale, input.mean);
    int dIn = weights.config().dIn();
    return rows.reshape(Shapes.decoded(input.leadingShape, input.tailShape, dIn));
  }

  /** {@code f W_dec} without bias for rows of latents of any width, owned by the scope. */
  NDArray decode(NDArray latents, NDManager scope) {
    int latentWidth = (int) latents.getShape().get(1);
    return scaled(latents, scope).matMul(decoderRows(0, latentWidth, scope));
  }

  /** Takes back the decoder norms that the latents of a rescaling SAE are multiplied by. */
  private NDArray scaled(NDArray latents, NDManager scope) {
    if (weights.decoderNorms().isEmpty()) {
      return latents;
    }
    int latentWidth = (int) latents.getShape().get(1);
    float[] norms = Arrays.copyOf(weights.decoderNorms().get(), latentWidth);
    return latents.div(scope.create(norms).toType(latents.getDataType(), false));
  }

  private NDArray decoderRows(int begin, int end, NDManager scope) {
    NDArray rows = weights.wDec().get(new NDIndex(begin + ":" + end));
    rows.attach(scope);
    return rows;
  }

  private static NDArray columns(NDArray latents, int begin, int end, NDManager scope) {
    NDArray columns = latents.get(new NDIndex(":, " + begin + ":" + end));
    columns.attach(scope);
    return columns;
  }
}
