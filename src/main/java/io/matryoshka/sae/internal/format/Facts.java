package io.matryoshka.sae.internal.format;

import io.matryoshka.sae.config.Architecture;
import io.matryoshka.sae.config.NormalizeActivations;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.safetensors.Dtype;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the formats of other programs than SAELens say of an SAE. They compute in float32 and do not
 * normalise.
 *
 * @param architecture the architecture
 * @param dIn the width of an activation
 * @param dOut the width of the output
 * @param dSae the number of latents
 * @param applyBDecToInput whether {@code b_dec} is subtracted before encoding
 * @param k active latents a token, of training or of top-k
 * @param hookPoint the place in the model
 * @param hookPointOut the place that a transcoder predicts
 * @param modelName the model
 * @param widths the Matryoshka widths, empty if unknown
 * @param metadata everything else
 */
record Facts(
    Architecture architecture,
    int dIn,
    int dOut,
    int dSae,
    boolean applyBDecToInput,
    OptionalInt k,
    Optional<String> hookPoint,
    Optional<String> hookPointOut,
    Optional<String> modelName,
    List<Integer> widths,
    Map<String, Object> metadata) {

  SaeConfig config() {
    return new SaeConfig(
        architecture,
        dIn,
        dOut,
        dSae,
        Dtype.F32,
        applyBDecToInput,
        NormalizeActivations.NONE,
        false,
        k,
        false,
        hookPoint,
        hookPointOut,
        modelName,
        widths,
        metadata);
  }
}
