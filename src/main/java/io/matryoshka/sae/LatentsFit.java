package io.matryoshka.sae;

import java.util.function.IntPredicate;

/**
 * What must hold of sparse latents for an SAE to decode them.
 *
 * @param width number of latents that the indices count in
 * @param rows tokens in the batch
 * @param tailShape shape of one row of the input, empty where it is not known
 * @param scaled whether the latents carry what undoes a normalisation of each token
 * @param reaches tells whether a latent from a bound on is active
 */
record LatentsFit(int width, int rows, long[] tailShape, boolean scaled, IntPredicate reaches) {

  static LatentsFit of(SparseLatents f) {
    boolean scaled = f.scaling().isPresent();
    return new LatentsFit(f.width(), f.rows(), f.tailShape(), scaled, f::reaches);
  }

  static LatentsFit of(DeviceLatents f) {
    boolean scaled = f.scale().isPresent();
    return new LatentsFit(f.width(), f.rows(), f.tailShape(), scaled, f::reaches);
  }

  /** Refuses latents that an SAE of some width cannot decode. */
  void require(SaeConfig config, int saeWidth) {
    if (width > saeWidth && reaches.test(saeWidth)) {
      throw new IllegalArgumentException(
          "decode: latents of width "
              + width
              + " do not fit an SAE of width "
              + saeWidth
              + "; decode them with the SAE that encoded them, or keep range(0, "
              + saeWidth
              + ")");
    }
    long dIn = Shapes.count(tailShape);
    if (tailShape.length > 0 && dIn != config.dIn()) {
      throw new IllegalArgumentException(
          "decode: the latents are of activations [..., d_in] = [..., "
              + dIn
              + "], but this SAE has d_in = "
              + config.dIn()
              + "; decode them with the SAE that encoded them");
    }
    boolean perToken = config.normalizeActivations().isPerToken();
    if (rows > 0 && scaled != perToken) {
      throw new IllegalArgumentException(
          "decode: this SAE "
              + (perToken ? "normalises each token" : "does not normalise each token")
              + " ("
              + config.normalizeActivations().key()
              + "), but the latents carry "
              + (perToken ? "no scale" : "scales")
              + "; decode them with the SAE that encoded them");
    }
  }
}
