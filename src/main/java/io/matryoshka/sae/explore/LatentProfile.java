package io.matryoshka.sae.explore;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What was found about one latent.
 *
 * @param latent its index
 * @param contexts the tokens where it is strongest, strongest first
 * @param histogram how strongly it fires
 * @param examples tokens of the lower quarters of its range, strongest quarter first
 * @param decoderNeighbours latents that write in the nearest directions
 * @param encoderNeighbours latents that read in the nearest directions
 * @param parents latents of lower levels whose firing is most correlated with it
 * @param children latents of higher levels whose firing is most correlated with it
 * @param absorption how far its children take its place; empty for the last level, for an SAE that
 *     normalises its input, and beyond the first {@value Explorer#MAX_PARENTS} parents described
 */
public record LatentProfile(
    int latent,
    List<TopContext> contexts,
    ActivationHistogram histogram,
    List<TopContext> examples,
    List<Neighbour> decoderNeighbours,
    List<Neighbour> encoderNeighbours,
    List<Coactivation> parents,
    List<Coactivation> children,
    Optional<Absorption> absorption) {

  /**
   * Copies the lists.
   *
   * @param latent its index
   * @param contexts the tokens where it is strongest
   * @param histogram how strongly it fires
   * @param examples tokens of the lower quarters of its range, strongest quarter first
   * @param decoderNeighbours latents that write in the nearest directions
   * @param encoderNeighbours latents that read in the nearest directions
   * @param parents latents of lower levels
   * @param children latents of higher levels
   * @param absorption how far its children take its place
   */
  public LatentProfile {
    contexts = List.copyOf(contexts);
    Objects.requireNonNull(histogram, "histogram");
    examples = List.copyOf(examples);
    decoderNeighbours = List.copyOf(decoderNeighbours);
    encoderNeighbours = List.copyOf(encoderNeighbours);
    parents = List.copyOf(parents);
    children = List.copyOf(children);
    Objects.requireNonNull(absorption, "absorption");
  }
}
