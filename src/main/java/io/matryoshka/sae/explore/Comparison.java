package io.matryoshka.sae.explore;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.LatentStatistics;
import java.util.List;
import java.util.Objects;
import java.util.function.LongConsumer;

/**
 * How latents differ from another set of activations, or from another SAE.
 *
 * @param other name of the other side, for people
 * @param matches for another SAE the match of each latent; empty for the same SAE
 * @param differences one for each latent that has a counterpart, by rising latent
 */
public record Comparison(
    String other, List<LatentMatch> matches, List<LatentDifference> differences) {

  /**
   * Copies the lists.
   *
   * @param other name of the other side
   * @param matches the match of each latent, or empty
   * @param differences one for each latent that has a counterpart
   */
  public Comparison {
    Objects.requireNonNull(other, "other");
    matches = List.copyOf(matches);
    differences = List.copyOf(differences);
  }

  /**
   * Compares two sets of activations of one SAE.
   *
   * @param name name of the other set, for people
   * @param one statistics on the one set
   * @param other statistics on the other
   * @return the comparison
   */
  public static Comparison ofActivations(
      String name, LatentStatistics one, LatentStatistics other) {
    return new Comparison(name, List.of(), LatentDifference.between(one, other));
  }

  /**
   * Compares two SAEs, each latent with the one of the other SAE that has the nearest decoder
   * direction.
   *
   * @param name name of the other SAE, for people
   * @param sae the one SAE
   * @param one its statistics
   * @param otherSae the other SAE, of the same {@code d_in}
   * @param other its statistics, usually on the same activations
   * @param progress told the number of latents searched, of both SAEs
   * @return the comparison
   */
  public static Comparison ofSaes(
      String name,
      SAE sae,
      LatentStatistics one,
      SAE otherSae,
      LatentStatistics other,
      LongConsumer progress) {
    List<LatentMatch> matches = LatentMatch.between(sae, otherSae, progress);
    return new Comparison(name, matches, LatentDifference.between(one, other, matches));
  }
}
