package io.matryoshka.sae.internal.kernel.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Tests int8 products against float bounds in integers, in loops that the compiler turns into
 * vector instructions, which it does not do for conversions between the two.
 *
 * <p>Both are compared in units of {@code 2^shift}, chosen so that every product has less than 23
 * bits. With {@code p} rounded down and {@code b} to the nearest unit, {@code p + b >= 0} implies
 * that the sum of both is at least -1, and at least 0 where nothing of {@code p} is rounded.
 */
final class IntegerBounds {

  /** Adding it rounds a float of less than 23 bits, and leaves the integer in the lowest bits. */
  private static final float ROUNDER = 0x1.8p23f;

  /** Larger than any product and any rounding of one, in units. */
  private static final int MOST = (1 << 22) - 2;

  private static final int BITS = Float.floatToRawIntBits(ROUNDER);

  private static final int MAX_PRODUCT = 127 * 127;

  /** Signs that are looked at together. */
  private static final int SCANNED = 8;

  private final int shift;
  private final float inverse;

  /** What is taken off the bits of a rounded float, but for what rounding may have cost. */
  private final int base;

  private final float[] rounded;
  private final int[] bits;
  private final FloatBuffer asFloats;
  private final IntBuffer asInts;

  /**
   * Makes the working memory.
   *
   * @param dIn the number of factors of a product
   * @param count number of products to test at a time
   */
  IntegerBounds(int dIn, int count) {
    int units = 0;
    while (((long) MAX_PRODUCT * dIn >> units) >= MOST - 2) {
      units++;
    }
    shift = units;
    inverse = 1f / (1 << units);
    base = shift == 0 ? BITS : BITS - 1;
    rounded = new float[count];
    bits = new int[count];
    ByteBuffer memory = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.nativeOrder());
    asFloats = memory.asFloatBuffer();
    asInts = memory.asIntBuffer();
  }

  /**
   * Finds where a product and its bound are not below 0 together. A bound that is no number counts
   * as infinite.
   *
   * @param products the products, are overwritten
   * @param bounds the bounds
   * @param first latent of the first product
   * @param most after so many the rest is left out
   * @param found takes the latents
   */
  void scan(int[] products, float[] bounds, int first, int most, TileCandidates found) {
    round(bounds, inverse, rounded);
    asFloats.put(0, rounded);
    asInts.get(0, bits);
    add(products, shift, bits, base);
    int last = found.size() + most;
    for (int j = 0; j < products.length && found.size() <= last; j += SCANNED) {
      if (j + SCANNED > products.length || isAnyLeft(products, j)) {
        addLeft(products, j, Math.min(j + SCANNED, products.length), first, found);
      }
    }
  }

  private static void round(float[] bounds, float inverse, float[] rounded) {
    for (int j = 0; j < rounded.length; j++) {
      rounded[j] = Math.max(-MOST, Math.min(MOST, bounds[j] * inverse)) + ROUNDER;
    }
  }

  /** Rounded bounds are positive; a NaN without its sign has the bits of a large number. */
  private static void add(int[] products, int shift, int[] bits, int base) {
    for (int j = 0; j < products.length; j++) {
      products[j] = (products[j] >> shift) + ((bits[j] & Integer.MAX_VALUE) - base);
    }
  }

  private static boolean isAnyLeft(int[] sums, int j) {
    int signs =
        sums[j]
            & sums[j + 1]
            & sums[j + 2]
            & sums[j + 3]
            & sums[j + 4]
            & sums[j + 5]
            & sums[j + 6]
            & sums[j + 7];
    return signs >= 0;
  }

  private static void addLeft(int[] sums, int begin, int end, int first, TileCandidates found) {
    for (int j = begin; j < end; j++) {
      if (sums[j] >= 0) {
        found.add(first + j);
      }
    }
  }
}
