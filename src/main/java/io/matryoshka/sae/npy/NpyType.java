package io.matryoshka.sae.npy;

import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Optional;

/** The element types that are read, and how their elements become floats. */
enum NpyType {
  B1(1) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      for (int i = 0; i < count; i++) {
        target[offset + i] = bytes.get(i) == 0 ? 0 : 1;
      }
    }
  },
  I1(1) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      for (int i = 0; i < count; i++) {
        target[offset + i] = bytes.get(i);
      }
    }
  },
  U1(1) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      for (int i = 0; i < count; i++) {
        target[offset + i] = bytes.get(i) & 0xff;
      }
    }
  },
  I2(2) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      short[] values = shorts(bytes, count);
      for (int i = 0; i < count; i++) {
        target[offset + i] = values[i];
      }
    }
  },
  U2(2) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      short[] values = shorts(bytes, count);
      for (int i = 0; i < count; i++) {
        target[offset + i] = values[i] & 0xffff;
      }
    }
  },
  F2(2) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      short[] values = shorts(bytes, count);
      for (int i = 0; i < count; i++) {
        target[offset + i] = halfToFloat(values[i]);
      }
    }
  },
  I4(4) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      for (int i = 0; i < count; i++) {
        target[offset + i] = bytes.getInt(i * Integer.BYTES);
      }
    }
  },
  U4(4) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      for (int i = 0; i < count; i++) {
        target[offset + i] = bytes.getInt(i * Integer.BYTES) & 0xffffffffL;
      }
    }
  },
  F4(4) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      bytes.asFloatBuffer().get(target, offset, count);
    }
  },
  I8(8) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      for (int i = 0; i < count; i++) {
        target[offset + i] = bytes.getLong(i * Long.BYTES);
      }
    }
  },
  U8(8) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      for (int i = 0; i < count; i++) {
        target[offset + i] = unsignedToFloat(bytes.getLong(i * Long.BYTES));
      }
    }
  },
  F8(8) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      for (int i = 0; i < count; i++) {
        target[offset + i] = (float) bytes.getDouble(i * Double.BYTES);
      }
    }
  };

  private final int bytes;

  NpyType(int bytes) {
    this.bytes = bytes;
  }

  /** Returns the size of an element in bytes. */
  int bytes() {
    return bytes;
  }

  /** Converts elements from the start of a buffer in the file's byte order. */
  abstract void toFloats(ByteBuffer bytes, float[] target, int offset, int count);

  /** Finds the type of a description without its byte order, such as {@code f4}. */
  static Optional<NpyType> find(String code) {
    for (NpyType type : values()) {
      if (type.name().toLowerCase(Locale.ROOT).equals(code)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  private static short[] shorts(ByteBuffer bytes, int count) {
    short[] values = new short[count];
    bytes.asShortBuffer().get(values);
    return values;
  }

  private static float halfToFloat(short half) {
    int magnitude = half & 0x7fff;
    int sign = (half & 0x8000) << 16;
    if (magnitude >= 0x7c00) {
      return Float.intBitsToFloat(sign | 0x7f800000 | (magnitude & 0x03ff) << 13);
    }
    if (magnitude >= 0x0400) {
      return Float.intBitsToFloat(sign | ((magnitude << 13) + (112 << 23))); // bias 15 to 127
    }
    return Float.intBitsToFloat(sign | Float.floatToRawIntBits(magnitude * 0x1p-24f));
  }

  /** Halves a value beyond 2^63, keeping the lost bit for the rounding, and doubles the result. */
  private static float unsignedToFloat(long value) {
    return value >= 0 ? value : 2f * (value >>> 1 | value & 1);
  }
}
