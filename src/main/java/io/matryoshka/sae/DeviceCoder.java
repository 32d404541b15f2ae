package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.kernel.DeviceCsr;
import io.matryoshka.sae.kernel.DeviceDecoder;

/** Encodes to latents that stay on the device of the SAE, and decodes those. */
final class DeviceCoder {

  private final SaeWeights weights;
  private final int width;
  private final DeviceDecoder decoder;

  DeviceCoder(SaeWeights weights, int width) {
    this.weights = weights;
    this.width = width;
    this.decoder = new DeviceDecoder(weights.wDec());
  }

  /**
   * Encodes prepared rows.
   *
   * @param input the rows, owned by the scope of the call
   * @param selection which pre-activations become active
   * @param owner owns the result
   */
  DeviceLatents encode(InputRows input, Selection selection, NDManager owner) {
    DeviceCsr csr = weights.engine().encodeOnDevice(input.prepared, width, selection.rule(), owner);
    DeviceLatents latents =
        new DeviceLatents(csr, width, input.leadingShape, input.tailShape, input.scale, input.mean);
    latents.attach(owner);
    return latents;
  }

  /** Decodes latents that fit; everything is owned by the scope of the call. */
  NDArray decode(DeviceLatents latents, NDManager scope) {
    return restored(decoder.decode(plain(latents, scope), scope), latents);
  }

  /** Decodes latents that fit with every width; everything is owned by the scope of the call. */
  NDArray[] decodeNested(DeviceLatents latents, int[] widths, NDManager scope) {
    NDArray[] sums = decoder.decodeNested(plain(latents, scope), widths, scope);
    for (int i = 0; i < sums.length; i++) {
      sums[i] = restored(sums[i], latents);
    }
    return sums;
  }

  /** Takes back the decoder norms that the latents of a rescaling SAE are multiplied by. */
  private DeviceCsr plain(DeviceLatents latents, NDManager scope) {
    return weights
        .decoderNormsArray()
        .map(norms -> decoder.overNorms(latents.csr(), norms, scope))
        .orElse(latents.csr());
  }

  private NDArray restored(NDArray sums, DeviceLatents latents) {
    return weights.reconstruction(
        sums,
        latents.scale().orElse(null),
        latents.mean().orElse(null),
        latents.leadingShape(),
        latents.tailShape());
  }
}
