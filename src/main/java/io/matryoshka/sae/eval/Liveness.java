package io.matryoshka.sae.eval;

/**
 * How many of a range of latents fire, after SAEBench ({@code evals/core/main.py:933}). The density
 * of a latent is the share of counted rows where it is active. Fractions are 0 to 1, and NaN for no
 * rows; the shares are NaN if nothing fires.
 *
 * @param alive fraction of latents with density above 0; higher is better
 * @param dead {@code 1 - alive}
 * @param aboveOnePercent fraction of latents with density above 0.01
 * @param aboveTenPercent fraction of latents with density above 0.1
 * @param aboveOnePercentShare share of all firings that come from latents with density above 0.01
 * @param aboveTenPercentShare share of all firings that come from latents with density above 0.1
 */
public record Liveness(
    double alive,
    double dead,
    double aboveOnePercent,
    double aboveTenPercent,
    double aboveOnePercentShare,
    double aboveTenPercentShare) {

  static Liveness of(LatentStatistics latents, int from, int to) {
    if (latents.rows() == 0) {
      return new Liveness(Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
    }
    int dead = 0;
    int above1 = 0;
    int above10 = 0;
    long firings = 0;
    long firings1 = 0;
    long firings10 = 0;
    for (int latent = from; latent < to; latent++) {
      long count = latents.firings(latent);
      double density = latents.density(latent);
      firings += count;
      dead += count == 0 ? 1 : 0;
      if (density > 0.01) {
        above1++;
        firings1 += count;
      }
      if (density > 0.1) {
        above10++;
        firings10 += count;
      }
    }
    double size = to - from;
    return new Liveness(
        (size - dead) / size,
        dead / size,
        above1 / size,
        above10 / size,
        (double) firings1 / firings,
        (double) firings10 / firings);
  }
}
