package io.matryoshka.sae.stream;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.config.NormalizeActivations;
import java.util.Optional;

/**
 * The one rule for rows that an SAE cannot encode: a row that holds a NaN or an infinity, and one
 * that becomes so, such as a row of zeros that is divided by its norm. All latents of such a row
 * would be NaN.
 */
public final class RowFaults {

  private static final int ABSOLUTE = 0x7fffffff;
  private static final int INFINITY = 0x7f800000;

  private final int dIn;
  private final boolean dividesByNorm;

  private RowFaults(int dIn, boolean dividesByNorm) {
    this.dIn = dIn;
    this.dividesByNorm = dividesByNorm;
  }

  /**
   * Returns the rule for an SAE.
   *
   * @param sae gives {@code d_in} and how rows are normalised
   * @return the rule
   */
  public static RowFaults of(SAE sae) {
    NormalizeActivations normalisation = sae.config().normalizeActivations();
    return new RowFaults(sae.dIn(), normalisation == NormalizeActivations.CONSTANT_NORM_RESCALE);
  }

  /**
   * Looks at a row before it is encoded.
   *
   * @param x {@code [rows, d_in]} row-major
   * @param row index of the row
   * @return what is wrong with it, as {@code holds a NaN or an infinity}; empty if it can be
   *     encoded
   */
  public Optional<String> before(float[] x, int row) {
    int largest = largestBits(x, row * dIn);
    if (largest >= INFINITY) {
      return Optional.of("holds a NaN or an infinity");
    }
    return largest == 0 && dividesByNorm
        ? Optional.of(
            "is all zeros, which this SAE would divide by its norm of 0 (constant_norm_rescale)")
        : Optional.empty();
  }

  /**
   * Looks at a row after it was encoded.
   *
   * @param latents the latents of some rows
   * @param row index of the row among them
   * @return what is wrong with it; empty if every latent is finite
   */
  public static Optional<String> after(SparseLatents latents, int row) {
    boolean[] broken = new boolean[1];
    latents.forEach(row, (latent, activation) -> broken[0] |= !Float.isFinite(activation));
    return broken[0]
        ? Optional.of(
            "has latents that are NaN or infinite: its values are too large for the weights of the SAE,"
                + " or too small or too large to normalise")
        : Optional.empty();
  }

  /** The largest absolute value as its bits, which are in the order of the values. */
  private int largestBits(float[] values, int begin) {
    int largest = 0;
    for (int i = begin; i < begin + dIn; i++) {
      largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & ABSOLUTE);
    }
    return largest;
  }
}
