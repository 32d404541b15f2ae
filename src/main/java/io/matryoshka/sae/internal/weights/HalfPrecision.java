package io.matryoshka.sae.internal.weights;

/** Rounds float32 values to the nearest 16-bit value, ties to even, and back. */
final class HalfPrecision {

  private HalfPrecision() {}

  static void roundToBfloat16(float[] values, int count) {
    for (int i = 0; i < count; i++) {
      int bits = Float.floatToRawIntBits(values[i]);
      if (!Float.isNaN(values[i])) {
        bits += 0x7fff + ((bits >>> 16) & 1);
      }
      values[i] = Float.intBitsToFloat(bits & 0xffff0000);
    }
  }

  static void roundToFloat16(float[] values, int count) {
    for (int i = 0; i < count; i++) {
      values[i] = toFloat16(values[i]);
    }
  }

  /** Rounds by adding and taking away a number whose last bit is that of the result. */
  private static float toFloat16(float value) {
    float size = Math.abs(value);
    if (!(size < 65520f)) {
      return Float.isNaN(value) ? value : Math.copySign(Float.POSITIVE_INFINITY, value);
    }
    // Exponent of the result, not below that of float16's subnormals (2^-14, unit 2^-24).
    int exponent = Math.max(Math.getExponent(size), -14);
    double unit = Math.scalb(1.0, exponent - 10);
    return Math.copySign((float) (Math.rint(size / unit) * unit), value);
  }
}
