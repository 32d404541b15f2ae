package io.matryoshka.sae.npy;

import java.nio.ByteBuffer;

/**
 * A floating type of two bytes. NumPy has no bfloat16: such arrays come as {@code V2}, or, by a
 * view in PyTorch, as {@code u2} or {@code i2}, and only the person who wrote them knows what the
 * bits mean.
 */
public enum HalfType {
  /** The upper half of a float32. */
  BFLOAT16 {
    @Override
    float toFloat(short bits) {
      return Float.intBitsToFloat(bits << 16);
    }
  },
  /** IEEE 754 binary16. */
  FLOAT16 {
    @Override
    float toFloat(short bits) {
      int magnitude = bits & 0x7fff;
      int sign = (bits & 0x8000) << 16;
      if (magnitude >= 0x7c00) {
        return Float.intBitsToFloat(sign | 0x7f800000 | (magnitude & 0x03ff) << 13);
      }
      if (magnitude >= 0x0400) {
        return Float.intBitsToFloat(sign | ((magnitude << 13) + (112 << 23))); // bias 15 to 127
      }
      return Float.intBitsToFloat(sign | Float.floatToRawIntBits(magnitude * 0x1p-24f));
    }
  };

  abstract float toFloat(short bits);

  /**
   * Converts elements to floats, each exactly.
   *
   * @param bytes at least {@code 2 count} bytes from its position on, in its byte order; the
   *     position does not move
   * @param target where to put the floats
   * @param offset index in {@code target} of the first
   * @param count number of elements
   */
  public void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
    short[] values = new short[count];
    bytes.slice().order(bytes.order()).asShortBuffer().get(values);
    for (int i = 0; i < count; i++) {
      target[offset + i] = toFloat(values[i]);
    }
  }
}
