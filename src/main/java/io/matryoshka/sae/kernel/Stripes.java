package io.matryoshka.sae.kernel;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Vectors as {@value #COUNT} arrays of equal length, padded with zeros: loops over several arrays
 * with one index are what the JVM's compiler turns into vector instructions. Every sum has one
 * fixed order, so its bits depend on its terms alone.
 */
final class Stripes {

  static final int COUNT = 8;

  /** Stripe lengths are multiples of this, the floats of the widest vector register. */
  private static final int LANES = 16;

  private Stripes() {}

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

  /** Copies the vector to a plain array. */
  static void copyTo(float[][] vector, float[] target, int position, int size) {
    int length = vector[0].length;
    for (int s = 0; s < COUNT && s * length < size; s++) {
      System.arraycopy(
          vector[s], 0, target, position + s * length, Math.min(length, size - s * length));
    }
  }

  /** Copies a vector over another of the same size. */
  static void copy(float[][] source, float[][] target) {
    for (int s = 0; s < COUNT; s++) {
      System.arraycopy(source[s], 0, target[s], 0, source[s].length);
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

  /**
   * The dot product.
   *
   * @param x a vector
   * @param w a vector of the same size
   * @param lanes working memory of one stripe's length
   */
  static float dot(float[][] x, float[][] w, float[] lanes) {
    clear(lanes);
    for (int s = 0; s < COUNT; s += 2) {
      addProducts(x[s], w[s], x[s + 1], w[s + 1], lanes);
    }
    return sum(lanes);
  }

  private static void addProducts(float[] xa, float[] wa, float[] xb, float[] wb, float[] lanes) {
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = Math.fma(xb[i], wb[i], Math.fma(xa[i], wa[i], lanes[i]));
    }
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

  /** The largest absolute value, NaN left aside. */
  static float largest(float[][] vector) {
    float largest = 0;
    for (float[] stripe : vector) {
      for (float value : stripe) {
        float size = Math.abs(value);
        // A branch that is hardly ever taken is faster than Math.max with its care for NaN.
        if (size > largest) {
          largest = size;
        }
      }
    }
    return largest;
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
