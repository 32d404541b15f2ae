package io.matryoshka.sae.eval;

import io.matryoshka.sae.eval.PublishedComparison.DensityComparison;

/** Compares measured with published densities. */
final class DensityComparer {

  /** Published values at or below this mean that the latent never fired: log10(1e-10) is -10. */
  private static final double SILENT = -9.9;

  private DensityComparer() {}

  static DensityComparison compare(LatentStatistics latents, float[] published) {
    if (published.length != latents.size()) {
      throw new IllegalArgumentException(
          ("published log sparsity: expected d_sae = %s values, got %s; take them"
                  + " from the SAE that was evaluated")
              .formatted(latents.size(), published.length));
    }
    int silent = 0;
    int onlyMeasured = 0;
    int onlyPublished = 0;
    Mean difference = new Mean();
    double largest = Double.NaN;
    for (int latent = 0; latent < published.length; latent++) {
      boolean fires = latents.firings(latent) > 0;
      boolean isPublished = published[latent] > SILENT;
      if (fires && isPublished) {
        double distance = Math.abs(latents.logSparsity(latent) - published[latent]);
        difference.add(distance);
        largest = Double.isNaN(largest) ? distance : Math.max(largest, distance);
      } else if (fires) {
        onlyMeasured++;
      } else if (isPublished) {
        onlyPublished++;
      } else {
        silent++;
      }
    }
    return new DensityComparison(
        (int) difference.count(),
        silent,
        onlyMeasured,
        onlyPublished,
        correlation(latents, published),
        difference.value(),
        largest);
  }

  static boolean firesInBoth(LatentStatistics latents, int latent, float published) {
    return latents.firings(latent) > 0 && published > SILENT;
  }

  private static double correlation(LatentStatistics latents, float[] published) {
    Mean meanA = new Mean();
    Mean meanB = new Mean();
    for (int latent = 0; latent < published.length; latent++) {
      if (firesInBoth(latents, latent, published[latent])) {
        meanA.add(latents.logSparsity(latent));
        meanB.add(published[latent]);
      }
    }
    double products = 0;
    double squaresA = 0;
    double squaresB = 0;
    for (int latent = 0; latent < published.length; latent++) {
      if (firesInBoth(latents, latent, published[latent])) {
        double a = latents.logSparsity(latent) - meanA.value();
        double b = published[latent] - meanB.value();
        products += a * b;
        squaresA += a * a;
        squaresB += b * b;
      }
    }
    return products / Math.sqrt(squaresA * squaresB);
  }
}
