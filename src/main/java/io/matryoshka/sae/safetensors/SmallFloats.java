package io.matryoshka.sae.safetensors;

/**
 * Exact widening of 16-bit and 8-bit floating point to {@code float}. Every value of these types,
 * subnormals included, is a {@code float}; NaNs stay NaNs.
 */
final class SmallFloats {

  private static final float[] E5M2 = table(SmallFloats::e5m2);
  private static final float[] E4M3 = table(SmallFloats::e4m3);
  private static final float[] E8M0 = table(SmallFloats::e8m0);
  private static final float[] E4M3_FNUZ = table(code -> fnuz(code, 4, 3));
  private static final float[] E5M2_FNUZ = table(code -> fnuz(code, 5, 2));

  private SmallFloats() {}

  /** Returns the value of a half-precision number. */
  static float halfToFloat(short half) {
    int magnitude = half & 0x7fff;
    int sign = (half & 0x8000) << 16;
    if (magnitude >= 0x0400 && magnitude < 0x7c00) {
      return Float.intBitsToFloat(sign | ((magnitude << 13) + (112 << 23))); // bias 15 to 127
    }
    if (magnitude >= 0x7c00) {
      return Float.intBitsToFloat(sign | 0x7f800000 | (magnitude & 0x03ff) << 13);
    }
    return Float.intBitsToFloat(sign | Float.floatToRawIntBits(magnitude * 0x1p-24f));
  }

  /** Returns the value of a bfloat16 number. */
  static float bfloat16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** Returns the values of all 256 codes of an 8-bit floating point type; not to be written to. */
  static float[] table(Dtype dtype) {
    return switch (dtype) {
      case F8_E5M2 -> E5M2;
      case F8_E4M3 -> E4M3;
      case F8_E8M0 -> E8M0;
      case F8_E4M3FNUZ -> E4M3_FNUZ;
      case F8_E5M2FNUZ -> E5M2_FNUZ;
      default -> throw new IllegalArgumentException(dtype + " is no 8-bit floating point type");
    };
  }

  private static float e5m2(int code) {
    return halfToFloat((short) (code << 8)); // the upper half of a half
  }

  private static float e4m3(int code) {
    return (code & 0x7f) == 0x7f ? Float.NaN : decode(code, 4, 3, 7);
  }

  private static float e8m0(int code) {
    return code == 0xff ? Float.NaN : (float) Math.scalb(1.0, code - 127);
  }

  /** The "finite, unsigned zero" types: one more step of exponent bias; negative zero is NaN. */
  private static float fnuz(int code, int exponentBits, int mantissaBits) {
    return code == 0x80
        ? Float.NaN
        : decode(code, exponentBits, mantissaBits, 1 << (exponentBits - 1));
  }

  private static float decode(int code, int exponentBits, int mantissaBits, int bias) {
    int mantissa = code & ((1 << mantissaBits) - 1);
    int exponent = (code >> mantissaBits) & ((1 << exponentBits) - 1);
    int significand = exponent == 0 ? mantissa : mantissa | 1 << mantissaBits;
    float magnitude = Math.scalb((float) significand, Math.max(exponent, 1) - bias - mantissaBits);
    return (code & 0x80) == 0 ? magnitude : -magnitude;
  }

  private static float[] table(CodeToFloat type) {
    float[] table = new float[256];
    for (int code = 0; code < table.length; code++) {
      table[code] = type.value(code);
    }
    return table;
  }

  @FunctionalInterface
  private interface CodeToFloat {
    float value(int code);
  }
}
