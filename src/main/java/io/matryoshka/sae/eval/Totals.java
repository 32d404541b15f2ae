package io.matryoshka.sae.eval;

import io.matryoshka.sae.SparseLatents;
import java.util.Arrays;

/** Everything that is kept of the rows seen so far. Its size does not grow with them. */
final class Totals {

  final int[] widths;
  final Mean inputNorm;
  final Mean batchEnergy;
  final VectorMoments inputs;
  final EnergyHistogram energies = new EnergyHistogram();
  final WidthTotals[] byWidth;
  final LatentTotals latents;
  long maskedRows;
  long nonFiniteRows;

  Totals(int[] widths, int dIn) {
    this(
        widths,
        new Mean(),
        new Mean(),
        new VectorMoments(dIn),
        new WidthTotals[widths.length],
        new LatentTotals(widths[widths.length - 1]));
    Arrays.setAll(byWidth, i -> new WidthTotals());
  }

  Totals(
      int[] widths,
      Mean inputNorm,
      Mean batchEnergy,
      VectorMoments inputs,
      WidthTotals[] byWidth,
      LatentTotals latents) {
    this.widths = widths;
    this.inputNorm = inputNorm;
    this.batchEnergy = batchEnergy;
    this.inputs = inputs;
    this.byWidth = byWidth;
    this.latents = latents;
  }

  /** Rows of the stream that are in here, masked and non-finite ones included. */
  long rowsDone() {
    return inputs.count() + maskedRows + nonFiniteRows;
  }

  /** Adds the finite rows of a batch and counts the others. */
  void add(EvaluationBatch batch) {
    double[] squaredDistance = new double[batch.rows()];
    VectorMoments batchInputs = batch.inputMoments(squaredDistance);
    Mean energy = new Mean();
    for (int row = 0; row < batch.rows(); row++) {
      if (batch.isFinite(row)) {
        energy.add(batch.squaredNorm(row));
        energies.add(batch.squaredNorm(row));
        inputNorm.add(Math.sqrt(batch.squaredNorm(row)));
        addLatents(batch.latents(), row);
      } else {
        nonFiniteRows++;
      }
    }
    if (energy.count() > 0) {
      batchEnergy.add(energy.value());
    }
    inputs.add(batchInputs);
    for (int level = 0; level < byWidth.length; level++) {
      byWidth[level].add(batch, level, batchInputs, squaredDistance);
    }
  }

  /** Latents rise within a row, so the counts of each width are running counts. */
  private void addLatents(SparseLatents batch, int row) {
    Running running = new Running();
    batch.forEach(
        row,
        (latent, activation) -> {
          running.closeBelow(latent);
          running.l0++;
          running.l1 += activation;
          latents.add(latent, activation);
        });
    running.closeBelow(Integer.MAX_VALUE);
  }

  private final class Running {
    private int level;
    private int l0;
    private double l1;

    void closeBelow(int latent) {
      while (level < widths.length && widths[level] <= latent) {
        byWidth[level++].addSparsity(l0, l1);
      }
    }
  }

  /** A copy, equal to the last bit: adding to nothing rounds nothing. */
  Totals copy() {
    Totals copy = new Totals(widths, inputs.mean().length);
    copy.add(this);
    return copy;
  }

  void add(Totals other) {
    inputNorm.add(other.inputNorm);
    batchEnergy.add(other.batchEnergy);
    inputs.add(other.inputs);
    energies.add(other.energies);
    for (int level = 0; level < byWidth.length; level++) {
      byWidth[level].add(other.byWidth[level]);
    }
    latents.add(other.latents);
    maskedRows += other.maskedRows;
    nonFiniteRows += other.nonFiniteRows;
  }
}
