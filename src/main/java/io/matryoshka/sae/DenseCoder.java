package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.nn.Activation;

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
    NDArray limit = part(weights.thresholdArray(), ":" + width, scope);
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
      String range = begin + ":" + widths[level];
      NDArray columns = part(latents, ":, " + range, scope);
      NDArray sum = columns.matMul(part(weights.wDec(), range, scope));
      sums = sums == null ? sum : sums.add(sum);
      results[level] = restored(sums, input);
      begin = widths[level];
    }
    return results;
  }

  private NDArray restored(NDArray sums, InputRows input) {
    return weights.reconstruction(
        sums, input.scale, input.mean, input.leadingShape, input.tailShape);
  }

  /** {@code f W_dec} without bias for rows of latents of any width, owned by the scope. */
  NDArray decode(NDArray latents, NDManager scope) {
    NDArray rows = part(weights.wDec(), ":" + latents.getShape().get(1), scope);
    return scaled(latents, scope).matMul(rows);
  }

  /** Takes back the decoder norms that the latents of a rescaling SAE are multiplied by. */
  private NDArray scaled(NDArray latents, NDManager scope) {
    if (weights.decoderNormsArray().isEmpty()) {
      return latents;
    }
    NDArray norms = part(weights.decoderNormsArray().get(), ":" + latents.getShape().get(1), scope);
    return latents.div(norms.toType(latents.getDataType(), false));
  }

  /** A view that the scope owns. */
  private static NDArray part(NDArray array, String range, NDManager scope) {
    NDArray part = array.get(new NDIndex(range));
    part.attach(scope);
    return part;
  }
}
