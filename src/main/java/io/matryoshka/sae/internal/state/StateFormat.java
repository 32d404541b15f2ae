package io.matryoshka.sae.internal.state;

/**
 * How a state is laid out, all numbers little-endian: {@link #MAGIC} (int64), {@link #VERSION}
 * (int32), the length of the kind and of the settings in bytes (2 x int32), that of the body
 * (int32); the kind and the settings in UTF-8, the body; then the checksum of all that (CRC32C,
 * int32). Nothing follows that belongs to the state, so several may lie in one stream.
 */
final class StateFormat {

  /** {@code MSAESTAT} in the order of bytes. */
  static final long MAGIC = 0x544154534541534dL;

  /** Rises when the body of any kind changes. */
  static final int VERSION = 1;

  static final int HEAD_BYTES = Long.BYTES + 4 * Integer.BYTES;

  private StateFormat() {}
}
