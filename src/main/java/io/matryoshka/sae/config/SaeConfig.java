package io.matryoshka.sae.config;

import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the {@code cfg.json} of an SAE says, read as SAELens 6.18.0 reads it ({@code
 * sae_lens/saes/sae.py}), names and defaults from before version 6.0 included.
 *
 * @param architecture the class of SAE
 * @param dIn the width of a model activation
 * @param dOut the width of the output: {@code dIn}, but for a transcoder
 * @param dSae the number of latents
 * @param dtype the type that every tensor is cast to: F32, F64, F16 or BF16
 * @param applyBDecToInput whether {@code b_dec} is subtracted before encoding
 * @param normalizeActivations how activations are normalised
 * @param reshapeHookZ whether inputs come as {@code [..., heads, d_head]} and are flattened
 * @param k latents kept per token for {@link Architecture#TOPK}, training's k elsewhere if known
 * @param rescaleActsByDecoderNorm whether top-k works on activations times decoder norms
 * @param hookPoint the place in the model, if the file names it
 * @param hookPointOut the place that a transcoder predicts, if the file names it
 * @param modelName the model, if the file names it
 * @param matryoshkaWidths the prefix widths, empty if the file does not hold them
 * @param metadata everything else that the file says: texts, booleans, numbers, lists and maps by
 *     name, without what is null
 */
public record SaeConfig(
    Architecture architecture,
    int dIn,
    int dOut,
    int dSae,
    Dtype dtype,
    boolean applyBDecToInput,
    NormalizeActivations normalizeActivations,
    boolean reshapeHookZ,
    OptionalInt k,
    boolean rescaleActsByDecoderNorm,
    Optional<String> hookPoint,
    Optional<String> hookPointOut,
    Optional<String> modelName,
    List<Integer> matryoshkaWidths,
    Map<String, Object> metadata) {

  /**
   * Copies the collections.
   *
   * @param architecture the class of SAE
   * @param dIn the width of a model activation
   * @param dOut the width of the output
   * @param dSae the number of latents
   * @param dtype the type of the tensors
   * @param applyBDecToInput whether {@code b_dec} is subtracted before encoding
   * @param normalizeActivations how activations are normalised
   * @param reshapeHookZ whether head dimensions are flattened
   * @param k latents kept per token, if known
   * @param rescaleActsByDecoderNorm whether top-k works on rescaled activations
   * @param hookPoint the place in the model
   * @param hookPointOut the place that a transcoder predicts
   * @param modelName the model
   * @param matryoshkaWidths the prefix widths
   * @param metadata the rest of the file
   */
  public SaeConfig {
    Objects.requireNonNull(architecture, "architecture");
    Objects.requireNonNull(dtype, "dtype");
    Objects.requireNonNull(normalizeActivations, "normalizeActivations");
    matryoshkaWidths = List.copyOf(matryoshkaWidths);
    // In the order of the file: copies of Map.copyOf are in another order in each JVM.
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }

  /**
   * Reads a {@code cfg.json}.
   *
   * @param file the file
   * @return its content
   * @throws UnsupportedArchitectureException if the architecture is not one of {@link Architecture}
   * @throws SaeFormatException if a field is missing, ill-typed or out of its range
   * @throws IOException if the file cannot be read
   */
  public static SaeConfig read(Path file) throws IOException {
    return read(file, Optional.empty(), Optional.empty());
  }

  /**
   * Reads a {@code cfg.json} with the settings of training beside it.
   *
   * @param file the file
   * @param runnerFile {@code runner_cfg.json}, which holds the Matryoshka widths where {@code
   *     cfg.json} does not
   * @param dtype F32, F64, F16 or BF16 in place of what the file says, which need not say it then
   * @return the content
   * @throws UnsupportedArchitectureException if the architecture is not one of {@link Architecture}
   * @throws SaeFormatException if a field is missing, ill-typed or out of its range
   * @throws IOException if a file cannot be read
   */
  public static SaeConfig read(Path file, Optional<Path> runnerFile, Optional<Dtype> dtype)
      throws IOException {
    return SaeConfigParser.parse(file, runnerFile, dtype);
  }

  /**
   * Changes the type of the tensors.
   *
   * @param changed F32, F64, F16 or BF16
   * @return a changed copy
   */
  public SaeConfig withDtype(Dtype changed) {
    return new SaeConfig(
        architecture,
        dIn,
        dOut,
        dSae,
        changed,
        applyBDecToInput,
        normalizeActivations,
        reshapeHookZ,
        k,
        rescaleActsByDecoderNorm,
        hookPoint,
        hookPointOut,
        modelName,
        matryoshkaWidths,
        metadata);
  }

  /**
   * Returns the configuration of the first latents.
   *
   * @param width their number, at most {@code d_sae}
   * @return a changed copy, with the widths up to it
   */
  public SaeConfig firstLatents(int width) {
    List<Integer> widths = new ArrayList<>();
    matryoshkaWidths.stream().filter(w -> w < width).forEach(widths::add);
    if (!matryoshkaWidths.isEmpty()) {
      widths.add(width);
    }
    return new SaeConfig(
        architecture,
        dIn,
        dOut,
        width,
        dtype,
        applyBDecToInput,
        normalizeActivations,
        reshapeHookZ,
        k,
        rescaleActsByDecoderNorm,
        hookPoint,
        hookPointOut,
        modelName,
        widths,
        metadata);
  }

  /**
   * Returns the width of a prefix.
   *
   * @param wanted number of leading latents; none for all of them
   * @return that number, or {@code d_sae}
   * @throws IllegalArgumentException if it is more than {@code d_sae}
   */
  public int prefixWidth(OptionalInt wanted) {
    int width = wanted.orElse(dSae);
    if (width > dSae) {
      throw new IllegalArgumentException(
          "prefix width must lie in 1..%d, got %d".formatted(dSae, width));
    }
    return width;
  }
}
