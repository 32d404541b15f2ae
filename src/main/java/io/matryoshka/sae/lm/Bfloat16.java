package io.matryoshka.sae.lm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Rounds float32 to bfloat16. */
final class Bfloat16 {

  private static final int QUIET_NAN = 0x7FC0;

  private Bfloat16() {}

  /** Returns the little-endian bytes of the nearest values, of two equally near the even one. */
  static ByteBuffer bytes(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Short.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      int bits = Float.floatToRawIntBits(value);
      int rounded = (bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16;
      bytes.putShort((short) (Float.isNaN(value) ? QUIET_NAN : rounded));
    }
    return bytes.flip();
  }
}
