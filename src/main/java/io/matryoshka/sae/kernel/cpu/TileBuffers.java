package io.matryoshka.sae.kernel.cpu;

import io.matryoshka.sae.kernel.prepared.NativeBytes;
import io.matryoshka.sae.kernel.torch.Workers;
import java.nio.ByteBuffer;

/**
 * Memory for the products of one tile, kept by each worker so that it stays in the processor's
 * cache.
 */
final class TileBuffers {

  /** Products of one tile: 1 MiB. */
  static final int ELEMENTS = 1 << 18;

  private static final ThreadLocal<TileBuffers> OF_WORKER =
      ThreadLocal.withInitial(TileBuffers::new);

  private final ByteBuffer products = NativeBytes.allocateDirect(ELEMENTS * Integer.BYTES);

  /** Returns the buffers of the calling worker; another thread gets new ones. */
  static TileBuffers ofThread() {
    return Workers.isWorker() ? OF_WORKER.get() : new TileBuffers();
  }

  /** {@value #ELEMENTS} int32 or float32 products. */
  ByteBuffer products() {
    return products;
  }
}
