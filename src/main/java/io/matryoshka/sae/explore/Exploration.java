package io.matryoshka.sae.explore;

import io.matryoshka.sae.Levels;
import io.matryoshka.sae.eval.LatentStatistics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** What {@link Explorer} found. */
public final class Exploration {

  private final Levels levels;
  private final long rows;
  private final LatentStatistics statistics;
  private final TopContexts contexts;
  private final List<LatentProfile> profiles;
  private final Map<Integer, LatentProfile> byLatent = new HashMap<>();
  private final long missedPairs;

  Exploration(
      Levels levels,
      long rows,
      LatentStatistics statistics,
      TopContexts contexts,
      List<LatentProfile> profiles,
      long missedPairs) {
    this.levels = levels;
    this.rows = rows;
    this.statistics = statistics;
    this.contexts = contexts;
    this.profiles = List.copyOf(profiles);
    profiles.forEach(profile -> byLatent.put(profile.latent(), profile));
    this.missedPairs = missedPairs;
  }

  /**
   * Returns the Matryoshka widths of the SAE.
   *
   * @return rising widths
   */
  public List<Integer> widths() {
    return levels.widths();
  }

  /**
   * Returns the Matryoshka level of a latent.
   *
   * @param latent index of the latent
   * @return index of the first width that holds it
   */
  public int level(int latent) {
    Objects.checkIndex(latent, statistics.size());
    return levels.of(latent);
  }

  /**
   * Returns the number of rows of the source, those included that do not count.
   *
   * @return at least the rows of {@link #statistics}
   */
  public long rows() {
    return rows;
  }

  /**
   * Returns how often and how strongly each latent fired.
   *
   * @return statistics of all latents
   */
  public LatentStatistics statistics() {
    return statistics;
  }

  /**
   * Returns the tokens where a latent is strongest; of any latent, described or not.
   *
   * @param latent index of the latent
   * @return strongest first, empty if it never fired
   */
  public List<TopContext> contexts(int latent) {
    return contexts.strongest(latent);
  }

  /**
   * Returns the latents that were described.
   *
   * @return in the order asked for, by rising index if none were chosen
   */
  public List<LatentProfile> profiles() {
    return profiles;
  }

  /**
   * Finds what was found about a latent.
   *
   * @param latent index of the latent
   * @return its profile, empty if it was not described
   */
  public Optional<LatentProfile> profile(int latent) {
    return Optional.ofNullable(byLatent.get(latent));
  }

  /**
   * Returns by how many tokens a count of parent and child may be too small.
   *
   * @return 0 if the counts are exact
   */
  public long missedPairs() {
    return missedPairs;
  }

  Levels levels() {
    return levels;
  }
}
