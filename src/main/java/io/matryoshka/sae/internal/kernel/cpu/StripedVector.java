package io.matryoshka.sae.internal.kernel.cpu;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Vectors as {@value #COUNT} arrays of equal length, padded with zeros: loops over several arrays
 * with one index are what the JVM's compiler turns into vector instructions. Every sum has one
 * fixed order, so its bits depend on its terms alone.
 */
final class StripedVector {

  static final int COUNT = 4;

  /** Stripe lengths are multiples of this, the floats of the widest vector register. */
  private static final int LANES = 16;

  private StripedVector() {}

  /** Length of each stripe of a vector of {@code size} numbers. */
  static int length(int size) {
    int even = (size + COUNT - 1) / COUNT;
    return (even + LANES - 1) / LANES * LANES;
  }

  /** A vector of zeros. */
  static float[][] zeros(int size) {
    return new float[COUNT][length(size)];
  }

  /** Copies {@code size} floats from a position of the buffer. */
  static void fill(float[][] target, FloatBuffer source, int position, int size) {
    int length = target[0].length;
    for (int s = 0; s < COUNT && s * length < size; s++) {
      source.get(position + s * length, target[s], 0, Math.min(length, size - s * length));
    }
  }

  /** Copies the first {@code size} numbers of an array. */
  static void fill(float[][] target, float[] source, int size) {
    int length = target[0].length;
    for (int s = 0; s < COUNT && s * length < size; s++) {
      System.arraycopy(source, s * length, target[s], 0, Math.min(length, size - s * length));
    }
  }

  /**
   * The dot product of two vectors, whose bits depend on their numbers alone.
   *
   * @param lanes working memory of the length of a stripe
   */
  static float dot(float[][] a, float[][] b, float[] lanes) {
    multiply(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3], lanes);
    return sum(lanes);
  }

  private static void multiply(
      float[] a,
      float[] b,
      float[] c,
      float[] d,
      float[] e,
      float[] f,
      float[] g,
      float[] h,
      float[] lanes) {
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = Math.fma(g[i], h[i], Math.fma(e[i], f[i], Math.fma(c[i], d[i], a[i] * b[i])));
    }
  }

  static float get(float[][] vector, int index) {
    int length = vector[0].length;
    return vector[index / length][index % length];
  }

  static void set(float[][] vector, int index, float value) {
    int length = vector[0].length;
    vector[index / length][index % length] = value;
  }

  /** The sum of the squares. */
  static float sumOfSquares(float[][] vector, float[] lanes) {
    clear(lanes);
    for (float[] stripe : vector) {
      addSquares(stripe, lanes);
    }
    return sum(lanes);
  }

  static void addSquares(float[] stripe, float[] lanes) {
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = Math.fma(stripe[i], stripe[i], lanes[i]);
    }
  }

  /** The sum of the absolute values. */
  static float sumOfSizes(float[][] vector, float[] lanes) {
    clear(lanes);
    for (float[] stripe : vector) {
      for (int i = 0; i < lanes.length; i++) {
        lanes[i] += Math.abs(stripe[i]);
      }
    }
    return sum(lanes);
  }

  /** The largest absolute value, of no meaning if one is NaN. */
  static float largest(float[][] vector, float[] lanes) {
    clear(lanes);
    for (float[] stripe : vector) {
      raise(lanes, stripe, 1f);
    }
    float largest = 0;
    for (float lane : lanes) {
      // A branch that is hardly ever taken is faster than Math.max with its care for NaN.
      if (lane > largest) {
        largest = lane;
      }
    }
    return largest;
  }

  /** Raises each number to the absolute value of the vector's, times a factor. */
  static void raise(float[][] target, float[][] vector, float factor) {
    for (int s = 0; s < COUNT; s++) {
      raise(target[s], vector[s], factor);
    }
  }

  private static void raise(float[] target, float[] stripe, float factor) {
    for (int i = 0; i < target.length; i++) {
      target[i] = Math.max(target[i], Math.abs(stripe[i]) * factor);
    }
  }

  static void clear(float[] lanes) {
    Arrays.fill(lanes, 0f);
  }

  /** Eight interleaved partial sums, added pairwise. */
  static float sum(float[] lanes) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    float e = 0;
    float f = 0;
    float g = 0;
    float h = 0;
    for (int i = 0; i < lanes.length; i += 8) {
      a += lanes[i];
      b += lanes[i + 1];
      c += lanes[i + 2];
      d += lanes[i + 3];
      e += lanes[i + 4];
      f += lanes[i + 5];
      g += lanes[i + 6];
      h += lanes[i + 7];
    }
    return ((a + b) + (c + d)) + ((e + f) + (g + h));
  }
}
