package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.prepared.NativeBytes;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.nio.ByteBuffer;

/**
 * Memory for the products of one tile, kept by each worker so that it stays in the processor's
 * cache.
 */
final class TileBuffers {

  private static final ThreadLocal<TileBuffers> OF_WORKER =
      ThreadLocal.withInitial(TileBuffers::new);

  private final ByteBuffer products =
      NativeBytes.allocateDirect(Tuning.MOST_TILE_PRODUCTS * Integer.BYTES);

  /** Returns the buffers of the calling worker; another thread gets new ones. */
  static TileBuffers ofThread() {
    return Workers.isWorker() ? OF_WORKER.get() : new TileBuffers();
  }

  /** {@value Tuning#MOST_TILE_PRODUCTS} int32 or float32 products. */
  ByteBuffer products() {
    return products;
  }
}
