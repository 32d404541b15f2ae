package io.matryoshka.sae.eval;

/** How often and how strongly each latent fired. */
final class LatentTotals {

  final long[] firings;
  final double[] sums;
  final float[] largest;

  LatentTotals(int dSae) {
    this(new long[dSae], new double[dSae], new float[dSae]);
  }

  LatentTotals(long[] firings, double[] sums, float[] largest) {
    this.firings = firings;
    this.sums = sums;
    this.largest = largest;
  }

  void add(int latent, float activation) {
    firings[latent]++;
    sums[latent] += activation;
    largest[latent] = Math.max(largest[latent], activation);
  }

  void add(LatentTotals other) {
    for (int latent = 0; latent < firings.length; latent++) {
      firings[latent] += other.firings[latent];
      sums[latent] += other.sums[latent];
      largest[latent] = Math.max(largest[latent], other.largest[latent]);
    }
  }
}
