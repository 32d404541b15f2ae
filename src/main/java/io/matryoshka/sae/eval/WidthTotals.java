package io.matryoshka.sae.eval;

import java.util.Arrays;

/** What is kept of one prefix width: means, and how many rows have which L0. */
final class WidthTotals {

  /** SAELens divides by 1 where the norm of the activation is below this. */
  private static final double SMALL_NORM = 1e-4;

  private final Mean[] means = new Mean[RunningMetric.values().length];
  private long[] l0Counts = new long[0];

  WidthTotals() {
    Arrays.setAll(means, i -> new Mean());
  }

  WidthTotals(Mean[] means, long[] l0Counts) {
    System.arraycopy(means, 0, this.means, 0, this.means.length);
    this.l0Counts = l0Counts;
  }

  Mean mean(RunningMetric metric) {
    return means[metric.ordinal()];
  }

  double value(RunningMetric metric) {
    return mean(metric).value();
  }

  long[] l0Counts() {
    return l0Counts;
  }

  /** Adds the finite rows of a batch. */
  void add(EvaluationBatch batch, int level, VectorMoments inputs, double[] squaredDistance) {
    RowSums sums = batch.sums(level);
    Mean batchError = new Mean();
    Mean batchNorm = new Mean();
    Mean batchProduct = new Mean();
    for (int row = 0; row < batch.rows(); row++) {
      if (batch.isFinite(row)) {
        double error = sums.squaredError()[row];
        batchError.add(error);
        batchNorm.add(sums.squaredNorm()[row]);
        batchProduct.add(sums.product()[row]);
        mean(RunningMetric.SAELENS_MSE).add(error / inputs.count());
        mean(RunningMetric.LEGACY).addIfFinite(1 - error / squaredDistance[row]);
        addRow(error, batch.squaredNorm(row), sums.squaredNorm()[row], sums.product()[row]);
      }
    }
    if (inputs.count() > 0) {
      mean(RunningMetric.SQUARED_ERROR).add(batchError);
      mean(RunningMetric.BATCH_SQUARED_ERROR).add(batchError.value());
      mean(RunningMetric.FVU).addIfFinite(batchError.total() / inputs.spread().total());
      mean(RunningMetric.DICTIONARY_LEARNING)
          .addIfFinite(1 - sums.residual().unbiasedVariance() / inputs.unbiasedVariance());
      mean(RunningMetric.RELATIVE_BIAS).addIfFinite(batchNorm.value() / batchProduct.value());
    }
  }

  private void addRow(double error, double inputEnergy, double outputEnergy, double product) {
    double inputNorm = Math.sqrt(inputEnergy);
    double outputNorm = Math.sqrt(outputEnergy);
    mean(RunningMetric.ERROR_NORM).add(Math.sqrt(error));
    mean(RunningMetric.OUTPUT_NORM).add(outputNorm);
    mean(RunningMetric.NORMALISED_MSE).addIfFinite(error / inputEnergy);
    mean(RunningMetric.COSINE).addIfFinite(product / (inputNorm * outputNorm));
    mean(RunningMetric.L2_RATIO).add(outputNorm / (inputNorm >= SMALL_NORM ? inputNorm : 1));
  }

  void addSparsity(int l0, double l1) {
    mean(RunningMetric.L0).add(l0);
    mean(RunningMetric.L1).add(l1);
    if (l0 >= l0Counts.length) {
      l0Counts = Arrays.copyOf(l0Counts, l0 + 1);
    }
    l0Counts[l0]++;
  }

  void add(WidthTotals other) {
    for (int i = 0; i < means.length; i++) {
      means[i].add(other.means[i]);
    }
    l0Counts = Arrays.copyOf(l0Counts, Math.max(l0Counts.length, other.l0Counts.length));
    for (int l0 = 0; l0 < other.l0Counts.length; l0++) {
      l0Counts[l0] += other.l0Counts[l0];
    }
  }
}
