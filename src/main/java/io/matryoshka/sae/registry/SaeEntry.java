package io.matryoshka.sae.registry;

import java.net.URI;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * One SAE of a release: where it lies, its sizes and its published figures.
 *
 * @param release the id of the release that holds the SAE
 * @param saeId the id of the SAE in its release
 * @param location where its folder lies
 * @param layer the number of the model's layer, counted from 0; empty where there is none
 * @param hookPoint the full name of the place in the model that it reads, such as {@code
 *     blocks.12.hook_resid_post}
 * @param hookPointOut the place whose activations it predicts, for a transcoder; empty for an SAE,
 *     which predicts what it reads
 * @param format the name of the file format, such as {@code saelens} or {@code gemma-scope-2}
 * @param dIn the width of a model activation
 * @param dSae the number of latents
 * @param widths the prefix widths that it was trained with, rising, the last one {@code dSae}
 * @param trainingK the number of active latents a token that training aimed at; empty if unknown
 * @param explainedVariance the published explained variance with all latents, at most 1, higher is
 *     better; empty if unknown
 * @param neuronpediaId its name on Neuronpedia as {@code model/sae}; empty if it is not there
 * @param normScalingFactor the factor that brings model activations to the norm of training, for
 *     SAEs whose configuration says {@code expected_average_only_in}; empty if not needed
 * @param training how it was trained; empty if unknown
 */
public record SaeEntry(
    String release,
    String saeId,
    SaeLocation location,
    OptionalInt layer,
    String hookPoint,
    Optional<String> hookPointOut,
    String format,
    int dIn,
    int dSae,
    List<Integer> widths,
    OptionalInt trainingK,
    OptionalDouble explainedVariance,
    Optional<String> neuronpediaId,
    OptionalDouble normScalingFactor,
    Optional<TrainingFacts> training) {

  /**
   * Checks every part and copies the list.
   *
   * @param release the id of the release
   * @param saeId the id of the SAE
   * @param location where its folder lies
   * @param layer the number of the layer, if any
   * @param hookPoint the place in the model that it reads
   * @param hookPointOut the place that it predicts, for a transcoder
   * @param format the name of the file format
   * @param dIn the width of a model activation
   * @param dSae the number of latents
   * @param widths the prefix widths, rising to {@code dSae}
   * @param trainingK the number of active latents that training aimed at, if known
   * @param explainedVariance the published explained variance, if known
   * @param neuronpediaId its name on Neuronpedia, if any
   * @param normScalingFactor the factor on model activations, if needed
   * @param training how it was trained, if known
   * @throws IllegalArgumentException if a text is blank, a number is out of its range, or the
   *     widths do not rise from at least 1 to {@code dSae}
   */
  public SaeEntry {
    Checks.requireText(release, "release");
    Checks.requireText(saeId, "id");
    Objects.requireNonNull(location, "location");
    requireAtLeast(layer, 0, "layer");
    Checks.requireText(hookPoint, "hook_point");
    Objects.requireNonNull(hookPointOut, "hookPointOut")
        .ifPresent(hook -> Checks.requireText(hook, "hook_point_out"));
    Checks.requireText(format, "format");
    Checks.requirePositive(dIn, "d_in");
    Checks.requirePositive(dSae, "d_sae");
    widths = List.copyOf(widths);
    requireRising(widths, dSae);
    requireAtLeast(trainingK, 1, "training_k");
    if (trainingK.orElse(1) > dSae) {
      throw new IllegalArgumentException(
          "training_k: expected at most d_sae = " + dSae + ", got " + trainingK.getAsInt());
    }
    requireVariance(explainedVariance);
    requireNeuronpediaId(neuronpediaId);
    requireFactor(normScalingFactor);
    Objects.requireNonNull(training, "training");
  }

  /**
   * Gives the address of a latent's page on Neuronpedia.
   *
   * @param latent the index of the latent, counted from 0
   * @return the address, or empty if this SAE is not on Neuronpedia
   * @throws IllegalArgumentException if the latent is not in 0 to {@code dSae} - 1
   */
  public Optional<URI> neuronpediaUrl(int latent) {
    if (latent < 0 || latent >= dSae) {
      throw new IllegalArgumentException(
          "latent: expected 0 to %d for SAE '%s' of release '%s', got %d"
              .formatted(dSae - 1, saeId, release, latent));
    }
    return neuronpediaId.map(id -> URI.create("https://www.neuronpedia.org/" + id + "/" + latent));
  }

  /** The format of SAELens: {@code cfg.json} and {@code sae_weights.safetensors}. */
  public static final String DEFAULT_FORMAT = "saelens";

  /**
   * Names the kind of place that the SAE reads.
   *
   * @return {@code transcoder}, {@code resid_pre}, {@code resid_post}, {@code mlp_out}, {@code
   *     attn_out} or, for other places, the last part of the hook point
   */
  public String site() {
    if (hookPointOut.isPresent()) {
      return "transcoder";
    }
    String last = hookPoint.substring(hookPoint.lastIndexOf('.') + 1).replaceFirst("^hook_", "");
    return last.equals("z") ? "attn_out" : last;
  }

  private static void requireAtLeast(OptionalInt value, int minimum, String name) {
    Objects.requireNonNull(value, name);
    if (value.isPresent() && value.getAsInt() < minimum) {
      throw new IllegalArgumentException(
          name + ": expected at least " + minimum + ", got " + value.getAsInt());
    }
  }

  private static void requireRising(List<Integer> widths, int dSae) {
    int previous = 0;
    boolean rising = true;
    for (int width : widths) {
      rising &= width > previous;
      previous = width;
    }
    if (!rising || previous != dSae) {
      throw new IllegalArgumentException(
          "widths: expected positive numbers that rise and end with d_sae = "
              + dSae
              + ", got "
              + widths);
    }
  }

  private static void requireVariance(OptionalDouble value) {
    Objects.requireNonNull(value, "explainedVariance");
    double variance = value.orElse(0);
    if (!Double.isFinite(variance) || variance > 1) {
      throw new IllegalArgumentException(
          "explained_variance: expected a finite number of at most 1, got " + variance);
    }
  }

  private static void requireNeuronpediaId(Optional<String> value) {
    Objects.requireNonNull(value, "neuronpediaId");
    if (!value.orElse("model/sae").matches("[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")) {
      throw new IllegalArgumentException(
          "neuronpedia_id: expected model/sae, got '" + value.get() + "'");
    }
  }

  private static void requireFactor(OptionalDouble value) {
    Objects.requireNonNull(value, "normScalingFactor");
    double factor = value.orElse(1);
    if (!Double.isFinite(factor) || factor <= 0) {
      throw new IllegalArgumentException(
          "norm_scaling_factor: expected a finite number above 0, got " + factor);
    }
  }
}
