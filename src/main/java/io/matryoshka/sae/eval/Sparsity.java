package io.matryoshka.sae.eval;

import java.util.Arrays;
import java.util.List;

/**
 * How many latents of a prefix are active, and how strongly. Activations are never negative here,
 * so the counts of SAELens ({@code f > 0}) and of SAEBench and dictionary_learning ({@code f != 0})
 * are the same, and so are the two definitions of L1. Means are NaN for no rows.
 *
 * @param l0 {@code mean_t #{i : f_ti > 0}}, active latents a row, 0 to the width
 * @param l0Histogram rows by L0: element {@code k} counts the rows with {@code k} active latents;
 *     it ends with the largest L0 that occurs
 * @param l1 {@code mean_t sum_i f_ti}, in units of activations of latents
 */
public record Sparsity(double l0, List<Long> l0Histogram, double l1) {

  /**
   * Copies the list.
   *
   * @param l0 active latents a row
   * @param l0Histogram rows by L0
   * @param l1 sum of activations a row
   */
  public Sparsity {
    l0Histogram = List.copyOf(l0Histogram);
  }

  static Sparsity of(WidthTotals width) {
    return new Sparsity(
        width.value(RunningMetric.L0),
        Arrays.stream(width.l0Counts()).boxed().toList(),
        width.value(RunningMetric.L1));
  }
}
