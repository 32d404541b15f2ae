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
      HalfType.FLOAT16.toFloats(bytes, target, offset, count);
    }
  },
  /** Two bytes without a type: read only when the caller says what they are. */
  V2(2) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      throw new IllegalStateException("two-byte values without a number type");
    }
  },
  /**
   * Not a type of NumPy; what {@link NpyFile#open(java.nio.file.Path, HalfType)} makes of two
   * bytes.
   */
  BF16(2) {
    @Override
    void toFloats(ByteBuffer bytes, float[] target, int offset, int count) {
      HalfType.BFLOAT16.toFloats(bytes, target, offset, count);
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
      if (type != BF16
          && (type == V2 ? type.name() : type.name().toLowerCase(Locale.ROOT)).equals(code)) {
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

  /** Halves a value beyond 2^63, keeping the lost bit for the rounding, and doubles the result. */
  private static float unsignedToFloat(long value) {
    return value >= 0 ? value : 2f * (value >>> 1 | value & 1);
  }
}
