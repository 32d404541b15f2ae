package io.matryoshka.sae.safetensors;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The element types of the safetensors format, in the order of the reference implementation. A
 * constant's name is the name used in the header of a file.
 *
 * <p>The order matters: a writer places tensors by descending dtype, so that every tensor is
 * aligned to its element size.
 */
public enum Dtype {
  /** One byte; zero is false, anything else is true. */
  BOOL(8),
  /** 4-bit floating point (E2M1), two elements to a byte. */
  F4(4),
  /** 6-bit floating point with 2 exponent and 3 mantissa bits, four elements to three bytes. */
  F6_E2M3(6),
  /** 6-bit floating point with 3 exponent and 2 mantissa bits, four elements to three bytes. */
  F6_E3M2(6),
  /** Unsigned 8-bit integer. */
  U8(8),
  /** Signed 8-bit integer. */
  I8(8),
  /** 8-bit floating point with 5 exponent bits, with infinities and NaNs. */
  F8_E5M2(8),
  /** 8-bit floating point with 4 exponent bits, without infinities; largest value 448. */
  F8_E4M3(8),
  /** 8-bit power of two, without sign or mantissa: 2<sup>-127</sup> to 2<sup>127</sup>, or NaN. */
  F8_E8M0(8),
  /** 8-bit floating point with 4 exponent bits, one NaN, no infinities and no negative zero. */
  F8_E4M3FNUZ(8),
  /** 8-bit floating point with 5 exponent bits, one NaN, no infinities and no negative zero. */
  F8_E5M2FNUZ(8),
  /** Signed 16-bit integer. */
  I16(16),
  /** Unsigned 16-bit integer. */
  U16(16),
  /** IEEE 754 half precision: 5 exponent and 10 mantissa bits. */
  F16(16),
  /** bfloat16: the upper half of a 32-bit float. */
  BF16(16),
  /** Signed 32-bit integer. */
  I32(32),
  /** Unsigned 32-bit integer. */
  U32(32),
  /** IEEE 754 single precision. */
  F32(32),
  /** Complex number of two 32-bit floats, real part first. */
  C64(64),
  /** IEEE 754 double precision. */
  F64(64),
  /** Signed 64-bit integer. */
  I64(64),
  /** Unsigned 64-bit integer. */
  U64(64);

  private static final Map<String, Dtype> BY_NAME =
      Arrays.stream(values()).collect(Collectors.toMap(Dtype::name, Function.identity()));

  private final int bits;

  Dtype(int bits) {
    this.bits = bits;
  }

  /**
   * Returns the size of one element in bits: 4, 6, 8, 16, 32 or 64.
   *
   * @return bits per element
   */
  public int bits() {
    return bits;
  }

  /**
   * Tells whether several elements share a byte, so that a single element has no address.
   *
   * @return true for {@link #F4}, {@link #F6_E2M3} and {@link #F6_E3M2}
   */
  public boolean isSubByte() {
    return bits < Byte.SIZE;
  }

  /**
   * Finds the dtype that a header calls by a name. Names are exact and case-sensitive.
   *
   * @param name a name as written in a header, such as {@code BF16}
   * @return the dtype, or empty if the format knows no such name
   */
  public static Optional<Dtype> find(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }
}
