package io.matryoshka.sae.explore;

import java.util.Arrays;
import java.util.Objects;

/**
 * How strongly a latent fires where it does: {@value #BINS} classes of one width from 0 to a power
 * of two above its largest activation.
 *
 * @param upper upper end of the last class; 0 if the latent never fired
 * @param counts {@code [BINS]} tokens of each class; class i holds the activations from {@code i *
 *     upper / BINS} up to the next
 */
public record ActivationHistogram(double upper, long[] counts) {

  /** Number of classes. */
  public static final int BINS = 16;

  /**
   * Copies the counts.
   *
   * @param upper upper end of the last class
   * @param counts tokens of each class
   */
  public ActivationHistogram {
    counts = counts.clone();
  }

  /**
   * Returns the tokens of each class.
   *
   * @return a copy
   */
  @Override
  public long[] counts() {
    return counts.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ActivationHistogram that
        && upper == that.upper
        && Arrays.equals(counts, that.counts);
  }

  @Override
  public int hashCode() {
    return Objects.hash(upper, Arrays.hashCode(counts));
  }
}
