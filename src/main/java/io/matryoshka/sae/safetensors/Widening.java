package io.matryoshka.sae.safetensors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;

/**
 * Turns the raw little-endian bytes of a tensor into Java numbers, wherever the target type holds
 * every value of the source type exactly.
 *
 * <p>Works on the remaining bytes of a buffer from its position on, which stays where it is, and in
 * blocks, so that the inner loops run over arrays.
 */
public final class Widening {

  /** Elements per block: two arrays of this length stay in the first-level cache. */
  private static final int BLOCK = 4096;

  private Widening() {}

  /**
   * Tells whether a float holds every value of a dtype exactly.
   *
   * @param dtype the element type
   * @return whether {@link #floats} takes it
   */
  public static boolean fitsFloat(Dtype dtype) {
    return switch (dtype) {
      case BOOL, U8, I8, U16, I16, F16, BF16, F32 -> true;
      case F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ -> true;
      default -> false;
    };
  }

  /**
   * Tells whether a double holds every value of a dtype exactly.
   *
   * @param dtype the element type
   * @return whether {@link #doubles} takes it
   */
  public static boolean fitsDouble(Dtype dtype) {
    return fitsFloat(dtype) || dtype == Dtype.F64 || dtype == Dtype.I32 || dtype == Dtype.U32;
  }

  static boolean fitsInt(Dtype dtype) {
    return switch (dtype) {
      case BOOL, U8, I8, U16, I16, I32 -> true;
      default -> false;
    };
  }

  /**
   * Tells whether a long holds every value of a dtype exactly.
   *
   * @param dtype the element type
   * @return whether {@link #longs} takes it
   */
  public static boolean fitsLong(Dtype dtype) {
    return fitsInt(dtype) || dtype == Dtype.U32 || dtype == Dtype.I64 || dtype == Dtype.U64;
  }

  /**
   * Converts elements to floats.
   *
   * @param dtype the element type, one that {@link #fitsFloat}
   * @param source the elements, little-endian, from the buffer's position on
   * @param target where to put them
   * @param offset the index in {@code target} of the first one
   * @param count the number of elements
   */
  public static void floats(Dtype dtype, ByteBuffer source, float[] target, int offset, int count) {
    ByteBuffer bytes = littleEndian(source);
    switch (dtype) {
      case F32 -> bytes.asFloatBuffer().get(target, offset, count);
      case F16, BF16, I16, U16 ->
          shortsToFloats(dtype, bytes.asShortBuffer(), target, offset, count);
      default -> bytesToFloats(dtype, bytes, target, offset, count);
    }
  }

  /**
   * Converts elements to doubles.
   *
   * @param dtype the element type, one that {@link #fitsDouble}
   * @param source the elements, little-endian, from the buffer's position on
   * @param target where to put them
   * @param offset the index in {@code target} of the first one
   * @param count the number of elements
   */
  public static void doubles(
      Dtype dtype, ByteBuffer source, double[] target, int offset, int count) {
    ByteBuffer bytes = littleEndian(source);
    if (dtype == Dtype.F64) {
      bytes.asDoubleBuffer().get(target, offset, count);
      return;
    }
    boolean integral = fitsLong(dtype);
    int width = dtype.bits() / Byte.SIZE;
    float[] floats = new float[integral ? 0 : Math.min(count, BLOCK)];
    int[] ints = new int[integral ? Math.min(count, BLOCK) : 0];
    for (int done = 0; done < count; ) {
      int n = Math.min(BLOCK, count - done);
      ByteBuffer block = bytes.slice(bytes.position() + done * width, n * width);
      if (integral) {
        bits(dtype, block, ints, 0, n);
        for (int i = 0; i < n; i++) {
          target[offset + done + i] = dtype == Dtype.U32 ? ints[i] & 0xffffffffL : ints[i];
        }
      } else {
        floats(dtype, block, floats, 0, n);
        for (int i = 0; i < n; i++) {
          target[offset + done + i] = floats[i];
        }
      }
      done += n;
    }
  }

  static void ints(Dtype dtype, ByteBuffer source, int[] target, int offset, int count) {
    bits(dtype, source, target, offset, count);
  }

  /**
   * Converts elements to longs.
   *
   * @param dtype the element type, one that {@link #fitsLong}
   * @param source the elements, little-endian, from the buffer's position on
   * @param target where to put them
   * @param offset the index in {@code target} of the first one
   * @param count the number of elements
   */
  public static void longs(Dtype dtype, ByteBuffer source, long[] target, int offset, int count) {
    ByteBuffer bytes = littleEndian(source);
    if (dtype == Dtype.I64 || dtype == Dtype.U64) {
      bytes.asLongBuffer().get(target, offset, count);
      return;
    }
    int width = dtype.bits() / Byte.SIZE;
    long mask = dtype == Dtype.U32 ? 0xffffffffL : -1L;
    int[] ints = new int[Math.min(count, BLOCK)];
    for (int done = 0; done < count; ) {
      int n = Math.min(BLOCK, count - done);
      bits(dtype, bytes.slice(bytes.position() + done * width, n * width), ints, 0, n);
      for (int i = 0; i < n; i++) {
        target[offset + done + i] = ints[i] & mask;
      }
      done += n;
    }
  }

  /** Integers of up to 32 bits; U32 as its bits. */
  private static void bits(Dtype dtype, ByteBuffer source, int[] target, int offset, int count) {
    ByteBuffer bytes = littleEndian(source);
    int position = bytes.position();
    switch (dtype) {
      case I32, U32 -> bytes.asIntBuffer().get(target, offset, count);
      case I16, U16 -> {
        int mask = dtype == Dtype.U16 ? 0xffff : -1;
        ShortBuffer shorts = bytes.asShortBuffer();
        for (int i = 0; i < count; i++) {
          target[offset + i] = shorts.get(i) & mask;
        }
      }
      case BOOL -> {
        for (int i = 0; i < count; i++) {
          target[offset + i] = bytes.get(position + i) == 0 ? 0 : 1;
        }
      }
      case I8, U8 -> {
        int mask = dtype == Dtype.U8 ? 0xff : -1;
        for (int i = 0; i < count; i++) {
          target[offset + i] = bytes.get(position + i) & mask;
        }
      }
      default -> throw new IllegalArgumentException(dtype + " is no integer of up to 32 bits");
    }
  }

  private static void shortsToFloats(
      Dtype dtype, ShortBuffer source, float[] target, int offset, int count) {
    short[] block = new short[Math.min(count, BLOCK)];
    for (int done = 0; done < count; ) {
      int n = Math.min(BLOCK, count - done);
      source.get(block, 0, n);
      int at = offset + done;
      switch (dtype) {
        case BF16 -> {
          for (int i = 0; i < n; i++) {
            target[at + i] = SmallFloats.bfloat16ToFloat(block[i]);
          }
        }
        case F16 -> {
          for (int i = 0; i < n; i++) {
            target[at + i] = SmallFloats.halfToFloat(block[i]);
          }
        }
        default -> {
          int mask = dtype == Dtype.U16 ? 0xffff : -1;
          for (int i = 0; i < n; i++) {
            target[at + i] = block[i] & mask;
          }
        }
      }
      done += n;
    }
  }

  private static void bytesToFloats(
      Dtype dtype, ByteBuffer source, float[] target, int offset, int count) {
    float[] table = byteTable(dtype);
    byte[] block = new byte[Math.min(count, BLOCK)];
    ByteBuffer bytes = source.duplicate();
    for (int done = 0; done < count; ) {
      int n = Math.min(BLOCK, count - done);
      bytes.get(block, 0, n);
      for (int i = 0; i < n; i++) {
        target[offset + done + i] = table[block[i] & 0xff];
      }
      done += n;
    }
  }

  private static float[] byteTable(Dtype dtype) {
    return switch (dtype) {
      case BOOL, U8, I8 -> integerTable(dtype);
      default -> SmallFloats.table(dtype);
    };
  }

  private static float[] integerTable(Dtype dtype) {
    float[] table = new float[256];
    for (int code = 0; code < table.length; code++) {
      table[code] =
          dtype == Dtype.BOOL ? Math.min(code, 1) : dtype == Dtype.U8 ? code : (byte) code;
    }
    return table;
  }

  private static ByteBuffer littleEndian(ByteBuffer source) {
    return source.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }
}
