package io.matryoshka.sae.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory for the products of one tile and what is compared with them, kept by each worker so that
 * it stays in the processor's cache.
 */
final class TileBuffers {

  /** Products of one tile: 4 MiB of int32. */
  static final int ELEMENTS = 1 << 20;

  private ByteBuffer products;
  private ByteBuffer upper;
  private ByteBuffer lower;

  /** {@value #ELEMENTS} int32 products. */
  ByteBuffer products() {
    if (products == null) {
      products = allocate();
    }
    return products;
  }

  /** {@value #ELEMENTS} float32 terms of upper bounds. */
  ByteBuffer upper() {
    if (upper == null) {
      upper = allocate();
    }
    return upper;
  }

  /** {@value #ELEMENTS} float32 terms of lower bounds. */
  ByteBuffer lower() {
    if (lower == null) {
      lower = allocate();
    }
    return lower;
  }

  private static ByteBuffer allocate() {
    return ByteBuffer.allocateDirect(ELEMENTS * Integer.BYTES).order(ByteOrder.nativeOrder());
  }
}
