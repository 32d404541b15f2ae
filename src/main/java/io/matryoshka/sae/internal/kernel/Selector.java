package io.matryoshka.sae.internal.kernel;

import java.util.Arrays;

/**
 * Applies a rule to exact pre-activations. Its input holds every pre-activation that is above the
 * limit (or NaN) and may be active; every other latent is known to be inactive.
 *
 * <p>NaN counts as the largest value, as in {@code torch.topk}, so it is kept and seen.
 */
public final class Selector {

  private Selector() {}

  public static Csr select(Csr candidates, SelectionRule rule) {
    return switch (rule.kind()) {
      case THRESHOLD -> candidates;
      case TOP_K -> topK(candidates, rule.k());
      case BATCH_TOP_K -> keepLargest(candidates, (long) rule.k() * candidates.rows());
    };
  }

  private static Csr topK(Csr csr, int k) {
    CsrBuilder out = new CsrBuilder(csr.rows());
    for (int row = 0; row < csr.rows(); row++) {
      copyLargest(csr, csr.rowOffsets()[row], csr.rowOffsets()[row + 1], k, out);
      out.endRow();
    }
    return out.build();
  }

  private static void copyLargest(Csr csr, int begin, int end, int k, CsrBuilder out) {
    float cut = Float.NEGATIVE_INFINITY;
    int tiesKept = Integer.MAX_VALUE;
    if (end - begin > k) {
      float[] sorted = Arrays.copyOfRange(csr.values(), begin, end);
      Arrays.sort(sorted);
      cut = sorted[sorted.length - k];
      tiesKept = k - countAbove(csr.values(), begin, end, cut);
    }
    for (int e = begin; e < end; e++) {
      int order = Float.compare(csr.values()[e], cut);
      if (order > 0 || (order == 0 && tiesKept-- > 0)) {
        out.add(csr.latents()[e], csr.values()[e]);
      }
    }
  }

  private static Csr keepLargest(Csr csr, long count) {
    int size = csr.values().length;
    if (size <= count) {
      return csr;
    }
    float[] sorted = csr.values().clone();
    Arrays.parallelSort(sorted);
    float cut = sorted[(int) (size - count)];
    long tiesKept = count - countAbove(csr.values(), 0, size, cut);
    CsrBuilder out = new CsrBuilder(csr.rows());
    for (int row = 0; row < csr.rows(); row++) {
      for (int e = csr.rowOffsets()[row]; e < csr.rowOffsets()[row + 1]; e++) {
        int order = Float.compare(csr.values()[e], cut);
        if (order > 0 || (order == 0 && tiesKept-- > 0)) {
          out.add(csr.latents()[e], csr.values()[e]);
        }
      }
      out.endRow();
    }
    return out.build();
  }

  private static int countAbove(float[] values, int begin, int end, float cut) {
    int count = 0;
    for (int e = begin; e < end; e++) {
      if (Float.compare(values[e], cut) > 0) {
        count++;
      }
    }
    return count;
  }
}
