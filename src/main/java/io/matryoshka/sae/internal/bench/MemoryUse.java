package io.matryoshka.sae.internal.bench;

import io.matryoshka.sae.LoadOptions.Engine;
import io.matryoshka.sae.SAE;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Optional;

/**
 * Resident memory of the process around the use of the fast engine, mapped pages of the weights
 * included.
 *
 * @param tokens tokens of each of the three calls
 * @param baseBytes before loading
 * @param peakBytes the most while it was loaded and ran forward three times
 */
public record MemoryUse(int tokens, long baseBytes, long peakBytes) {

  private static final int CALLS = 3;
  private static final int MAX_TOKENS = 512;

  /** Mappings that are no longer used go some time after the garbage collector found them. */
  private static final int UNMAP_MILLIS = 100;

  private static final int MIN_COLLECTIONS = 3;
  private static final int MAX_COLLECTIONS = 20;
  private static final long SETTLED_BYTES = 1 << 20;

  /** Measures it, if the system tells. Nothing else of the SAE should be open. */
  static Optional<MemoryUse> of(BenchmarkTarget target, float[] activations, int dIn)
      throws IOException {
    int tokens = Math.min(MAX_TOKENS, activations.length / dIn);
    if (ProcessMemory.now().isEmpty()) {
      return Optional.empty();
    }
    long base = settled();
    if (!ProcessMemory.resetPeak()) {
      return Optional.empty();
    }
    try (SAE sae = target.opener().open(Engine.FAST, true)) {
      for (int call = 0; call < CALLS; call++) {
        sae.decode(sae.encodeSparse(FloatBuffer.wrap(activations), tokens));
      }
    }
    return Optional.of(new MemoryUse(tokens, base, ProcessMemory.peak().getAsLong()));
  }

  /** Resident bytes once what was used before is gone. */
  private static long settled() {
    long before = Long.MAX_VALUE;
    long now = ProcessMemory.now().getAsLong();
    for (int i = 0;
        i < MIN_COLLECTIONS || i < MAX_COLLECTIONS && before - now > SETTLED_BYTES;
        i++) {
      System.gc();
      pause();
      before = now;
      now = ProcessMemory.now().getAsLong();
    }
    return now;
  }

  private static void pause() {
    try {
      Thread.sleep(UNMAP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
