package io.matryoshka.sae.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory for the products of one tile, kept by each worker so that it stays in the processor's
 * cache.
 */
final class TileBuffers {

  /** Products of one tile: 1 MiB of int32. */
  static final int ELEMENTS = 1 << 18;

  private final ByteBuffer products =
      ByteBuffer.allocateDirect(ELEMENTS * Integer.BYTES).order(ByteOrder.nativeOrder());

  /** {@value #ELEMENTS} int32 products. */
  ByteBuffer products() {
    return products;
  }
}
