package io.matryoshka.sae.explore;

import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.internal.state.StateReader;
import io.matryoshka.sae.internal.state.StateWriter;
import io.matryoshka.sae.stream.StateException;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Counts the activations of each latent by size, without knowing the largest beforehand: where one
 * does not fit, the range doubles and neighbouring classes join. Ranges are powers of two, so the
 * result does not depend on the order of rows. Takes 136 bytes a latent.
 */
final class ActivationHistograms implements LatentPass.Collector {

  private static final int BINS = ActivationHistogram.BINS;

  private final double[] upper;
  private final long[] counts;

  ActivationHistograms(int dSae) {
    upper = new double[dSae];
    counts = new long[Math.multiplyExact(dSae, BINS)];
  }

  @Override
  public void add(long firstRow, float[] x, SparseLatents latents, BitSet leftOut) {
    for (int row = 0; row < latents.rows(); row++) {
      latents.forEach(row, this::add);
    }
  }

  private void add(int latent, float activation) {
    if (!(activation > 0)) {
      return;
    }
    if (upper[latent] == 0) {
      upper[latent] = Math.scalb(1.0, Math.getExponent(activation) + 1);
    }
    while (activation >= upper[latent]) {
      halve(latent * BINS);
      upper[latent] *= 2;
    }
    counts[latent * BINS + (int) (activation / upper[latent] * BINS)]++;
  }

  private void halve(int base) {
    for (int i = 0; i < BINS / 2; i++) {
      counts[base + i] = counts[base + 2 * i] + counts[base + 2 * i + 1];
    }
    Arrays.fill(counts, base + BINS / 2, base + BINS, 0);
  }

  /** Adds the counts of other rows; exact, as ranges are powers of two. */
  void merge(ActivationHistograms other) {
    for (int latent = 0; latent < upper.length; latent++) {
      merge(
          latent,
          other.upper[latent],
          Arrays.copyOfRange(other.counts, latent * BINS, (latent + 1) * BINS));
    }
  }

  private void merge(int latent, double otherUpper, long[] otherCounts) {
    int base = latent * BINS;
    if (upper[latent] == 0) {
      upper[latent] = otherUpper;
    }
    while (upper[latent] < otherUpper) {
      halve(base);
      upper[latent] *= 2;
    }
    int shift = Math.getExponent(upper[latent]) - Math.getExponent(otherUpper);
    for (int i = 0; i < BINS && otherUpper > 0; i++) {
      counts[base + (shift < Integer.SIZE ? i >> shift : 0)] += otherCounts[i];
    }
  }

  void writeTo(StateWriter out) {
    out.add(upper);
    out.add(counts, 0, counts.length);
  }

  void mergeFrom(StateReader in) throws StateException {
    ActivationHistograms other = new ActivationHistograms(upper.length);
    in.next(other.upper);
    in.next(other.counts, 0, other.counts.length);
    merge(other);
  }

  ActivationHistogram of(int latent) {
    return new ActivationHistogram(
        upper[latent], Arrays.copyOfRange(counts, latent * BINS, (latent + 1) * BINS));
  }
}
