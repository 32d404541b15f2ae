package io.matryoshka.sae.eval;

/**
 * Mean and spread of vectors, joined block by block (Chan, Golub and LeVeque), which stays accurate
 * where {@code E[x^2] - E[x]^2} cancels.
 */
final class VectorMoments {

  private final double[] mean;
  private final Mean spread;
  private long count;

  VectorMoments(int size) {
    this(new double[size], new Mean(), 0);
  }

  VectorMoments(double[] mean, Mean spread, long count) {
    this.mean = mean;
    this.spread = spread;
    this.count = count;
  }

  /**
   * Joins a block of vectors.
   *
   * @param blockCount number of vectors
   * @param blockMean their mean
   * @param blockSpread sum of squared distances to that mean
   */
  void add(long blockCount, double[] blockMean, double blockSpread) {
    Mean block = new Mean();
    block.add(blockSpread);
    add(blockCount, blockMean, block);
  }

  void add(VectorMoments other) {
    add(other.count, other.mean, other.spread);
  }

  private void add(long blockCount, double[] blockMean, Mean blockSpread) {
    if (blockCount == 0) {
      return;
    }
    long total = count + blockCount;
    double share = (double) blockCount / total;
    double shift = 0;
    for (int d = 0; d < mean.length; d++) {
      double delta = blockMean[d] - mean[d];
      mean[d] += delta * share;
      shift += delta * delta;
    }
    spread.add(blockSpread);
    spread.add(shift * share * count);
    count = total;
  }

  /** Sum over dimensions of the variance (divided by n); NaN of nothing. */
  double variance() {
    return spread.total() / count;
  }

  /** Sum over dimensions of the unbiased variance (divided by n - 1); NaN below two vectors. */
  double unbiasedVariance() {
    return count < 2 ? Double.NaN : spread.total() / (count - 1);
  }

  double[] mean() {
    return mean;
  }

  Mean spread() {
    return spread;
  }

  long count() {
    return count;
  }
}
