package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.internal.model.Shapes;
import io.matryoshka.sae.internal.model.Weights;
import java.util.Arrays;
import java.util.Objects;
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
record DecodeCompatibility(
    int width, int rows, long[] tailShape, boolean scaled, IntPredicate reaches) {

  /** Refuses latents that an SAE of some width cannot decode. */
  static void require(SparseLatents f, SaeConfig config, int saeWidth) {
    Objects.requireNonNull(f, "latents");
    boolean scaled = !f.scaling().isNone();
    new DecodeCompatibility(f.width(), f.rows(), f.tailShape(), scaled, f::reaches)
        .require(config, saeWidth);
  }

  /** Refuses latents that an SAE of some width cannot decode. */
  static void require(DeviceLatents f, Weights weights, int saeWidth) {
    Objects.requireNonNull(f, "latents");
    weights.requireSameDevice(f.activations(), "decode: latents");
    boolean scaled = f.scaling().scale().isPresent();
    new DecodeCompatibility(f.width(), f.rows(), f.tailShape(), scaled, f::reaches)
        .require(weights.config(), saeWidth);
  }

  /** Refuses dense latents that an SAE of some width cannot decode; gives their leading shape. */
  static long[] requireDense(NDArray latents, Weights weights, int saeWidth) {
    long[] shape = Objects.requireNonNull(latents, "latents").getShape().getShape();
    if (shape.length == 0 || shape[shape.length - 1] != saeWidth) {
      throw new IllegalArgumentException(
          "decode: latents must have shape [..., d_sae] = [..., %d], got %s"
              .formatted(saeWidth, Arrays.toString(shape)));
    }
    weights.requireSameDevice(latents, "decode: latents");
    return Arrays.copyOf(shape, shape.length - 1);
  }

  private void require(SaeConfig config, int saeWidth) {
    if (width > saeWidth && reaches.test(saeWidth)) {
      throw new IllegalArgumentException(
          "decode: latents of width "
              + width
              + " do not fit an SAE of width "
              + saeWidth
              + "; decode them with the SAE that encoded them, or keep only the latents"
              + " below "
              + saeWidth
              + " (SparseLatents.range in Java; encode with --prefix "
              + saeWidth
              + " at the command line)");
    }
    long dIn = Shapes.count(tailShape);
    if (tailShape.length > 0 && dIn != config.dOut()) {
      throw new IllegalArgumentException(
          "decode: the latents are of activations [..., d_in] = [..., "
              + dIn
              + "], but this SAE has d_in = "
              + config.dOut()
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
