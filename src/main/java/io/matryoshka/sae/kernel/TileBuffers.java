package io.matryoshka.sae.kernel;

import java.nio.ByteBuffer;

/**
 * Memory for the products of one tile, kept by each worker so that it stays in the processor's
 * cache.
 */
final class TileBuffers {

  /** Products of one tile: 1 MiB. */
  static final int ELEMENTS = 1 << 18;

  private final ByteBuffer products = AlignedRows.allocate(ELEMENTS * Integer.BYTES);

  /** {@value #ELEMENTS} int32 or float32 products. */
  ByteBuffer products() {
    return products;
  }
}
