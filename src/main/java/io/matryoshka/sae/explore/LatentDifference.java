package io.matryoshka.sae.explore;

import io.matryoshka.sae.eval.LatentStatistics;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How a latent differs between two sets of activations, or from its match in another SAE.
 *
 * @param latent index of the latent
 * @param other index on the other side: the same latent, or its match in the other SAE
 * @param density share of tokens where the latent fires
 * @param otherDensity the same on the other side
 * @param z two-proportion z statistic of the densities: their difference over its standard error if
 *     both sides were alike, {@code (p1 - p2) / sqrt(p (1 - p) (1/n1 + 1/n2))} with {@code p} the
 *     density over both; above 0 if the latent fires more often here. 0 if it fires on every token
 *     of both sides or on none, NaN if a side has no tokens. Tokens of one text are not
 *     independent, so it ranks differences and is no test.
 * @param meanActivation mean activation over the tokens where the latent fires; NaN if none
 * @param otherMeanActivation the same on the other side
 */
public record LatentDifference(
    int latent,
    int other,
    double density,
    double otherDensity,
    double z,
    double meanActivation,
    double otherMeanActivation) {

  /**
   * Compares all latents of an SAE on two sets of activations.
   *
   * @param one statistics on the one set
   * @param other statistics on the other, of the same SAE
   * @return one for each latent, in order
   * @throws IllegalArgumentException if the numbers of latents differ
   */
  public static List<LatentDifference> between(LatentStatistics one, LatentStatistics other) {
    if (one.size() != other.size()) {
      throw new IllegalArgumentException(
          ("latent differences: both sides must have one number of latents, got %s"
                  + " and %s; for two SAEs match their latents first")
              .formatted(one.size(), other.size()));
    }
    List<LatentDifference> differences = new ArrayList<>();
    for (int latent = 0; latent < one.size(); latent++) {
      differences.add(between(one, latent, other, latent));
    }
    return differences;
  }

  /**
   * Compares matched latents of two SAEs.
   *
   * @param one statistics of the SAE whose latents were matched
   * @param other statistics of the SAE with the matches
   * @param matches the matches; latents without one are left out
   * @return one for each match, in order
   */
  public static List<LatentDifference> between(
      LatentStatistics one, LatentStatistics other, List<LatentMatch> matches) {
    return matches.stream()
        .filter(match -> match.match() >= 0)
        .map(match -> between(one, match.latent(), other, match.match()))
        .toList();
  }

  private static LatentDifference between(
      LatentStatistics one, int latent, LatentStatistics other, int otherLatent) {
    return new LatentDifference(
        latent,
        otherLatent,
        one.density(latent),
        other.density(otherLatent),
        z(one.firings(latent), one.rows(), other.firings(otherLatent), other.rows()),
        one.meanActivation(latent),
        other.meanActivation(otherLatent));
  }

  static double z(long firings, long rows, long otherFirings, long otherRows) {
    double difference = (double) firings / rows - (double) otherFirings / otherRows;
    double pooled = (double) (firings + otherFirings) / (rows + otherRows);
    double variance = pooled * (1 - pooled) * (1.0 / rows + 1.0 / otherRows);
    return difference == 0 ? 0 : difference / Math.sqrt(variance);
  }

  /**
   * Orders by falling {@code |z|}, ties by the lower latent; NaN counts as 0.
   *
   * @return the order
   */
  public static Comparator<LatentDifference> largestFirst() {
    return Comparator.comparingDouble(
            (LatentDifference d) -> Double.isNaN(d.z()) ? 0 : -Math.abs(d.z()))
        .thenComparingInt(LatentDifference::latent);
  }
}
