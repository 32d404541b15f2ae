package io.matryoshka.sae.internal.kernel;

/** Constants and helpers of the error bounds; docs/performance.md derives them. */
public final class Rounding {

  /** Unit roundoff of float32: half the distance from 1 to the next float. */
  public static final double UNIT = 0x1p-24;

  /** Inflates a bound so that some dozens of float32 roundings cannot make it too small. */
  public static final double INFLATE = 1 + 64 * UNIT;

  private Rounding() {}

  /** The smallest float that is not below a double. */
  public static float up(double value) {
    float rounded = (float) value;
    return rounded < value ? Math.nextUp(rounded) : rounded;
  }

  /**
   * Bounds a norm from above.
   *
   * @param sumOfSquares of {@code n} numbers, added in float32 in any order
   * @param n how many
   */
  public static float norm(float sumOfSquares, int n) {
    double inflation = 1 + 2 * (n + 32) * UNIT;
    double underflow = n * 0x1p-148;
    return up(Math.sqrt(sumOfSquares * inflation + underflow));
  }

  /**
   * Bounds, relative to {@code |x| |w|}, by how much a float32 dot product of length {@code n} in
   * any order, added to further terms, can differ from another such product or from the true value.
   */
  public static double dotError(int n) {
    return 2 * (n + 32) * UNIT * INFLATE;
  }
}
