package io.matryoshka.sae.eval;

import io.matryoshka.sae.internal.state.StateReader;
import io.matryoshka.sae.internal.state.StateWriter;
import io.matryoshka.sae.stream.StateException;

/**
 * Totals as bytes and back, without loss: 20 bytes a latent, half of what {@link TotalsJson} takes.
 */
final class TotalsState {

  static final String KIND = "evaluation";

  /** Binary exponents of doubles. */
  private static final int MAX_ENERGY_BINS = 2048;

  private TotalsState() {}

  static void write(Totals totals, StateWriter out) {
    out.add(totals.maskedRows);
    out.add(totals.nonFiniteRows);
    write(totals.inputNorm, out);
    write(totals.batchEnergy, out);
    out.add(totals.inputs.count());
    write(totals.inputs.spread(), out);
    out.add(totals.inputs.mean());
    out.add(totals.energies.size());
    totals.energies.forEach(
        (exponent, rows, sum) -> {
          out.add(exponent);
          out.add(rows);
          out.add(sum);
        });
    for (WidthTotals width : totals.byWidth) {
      for (RunningMetric metric : RunningMetric.values()) {
        write(width.mean(metric), out);
      }
      out.add(width.l0Counts().length);
      out.add(width.l0Counts(), 0, width.l0Counts().length);
    }
    LatentTotals latents = totals.latents;
    out.add(latents.firings, 0, latents.firings.length);
    out.add(latents.sums);
    out.add(latents.largest, 0, latents.largest.length);
  }

  private static void write(Mean mean, StateWriter out) {
    out.add(mean.sum());
    out.add(mean.compensation());
    out.add(mean.count());
  }

  static Totals read(StateReader in, int[] widths, int dIn) throws StateException {
    long maskedRows = in.nextLong();
    long nonFiniteRows = in.nextLong();
    Mean inputNorm = mean(in);
    Mean batchEnergy = mean(in);
    long rows = in.nextLong();
    Mean spread = mean(in);
    double[] mean = new double[dIn];
    in.next(mean);
    EnergyHistogram energies = new EnergyHistogram();
    for (int bins = in.nextCount(MAX_ENERGY_BINS); bins > 0; bins--) {
      energies.add(in.nextInt(), in.nextLong(), in.nextDouble());
    }
    WidthTotals[] byWidth = new WidthTotals[widths.length];
    for (int level = 0; level < widths.length; level++) {
      byWidth[level] = width(in, widths[level]);
    }
    Totals totals =
        new Totals(
            widths,
            inputNorm,
            batchEnergy,
            new VectorMoments(mean, spread, rows),
            byWidth,
            latents(in, widths[widths.length - 1]));
    totals.energies.add(energies);
    totals.maskedRows = maskedRows;
    totals.nonFiniteRows = nonFiniteRows;
    return totals;
  }

  private static WidthTotals width(StateReader in, int width) throws StateException {
    Mean[] means = new Mean[RunningMetric.values().length];
    for (int i = 0; i < means.length; i++) {
      means[i] = mean(in);
    }
    long[] l0Counts = new long[in.nextCount(width + 1)];
    in.next(l0Counts, 0, l0Counts.length);
    return new WidthTotals(means, l0Counts);
  }

  private static LatentTotals latents(StateReader in, int dSae) throws StateException {
    LatentTotals latents = new LatentTotals(dSae);
    in.next(latents.firings, 0, dSae);
    in.next(latents.sums);
    in.next(latents.largest, 0, dSae);
    return latents;
  }

  private static Mean mean(StateReader in) throws StateException {
    return new Mean(in.nextDouble(), in.nextDouble(), in.nextLong());
  }
}
