package io.matryoshka.sae.internal.kernel.cpu;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Counts positive floats by their upper 16 bits, which rise with the value, so that a lower bound
 * of the k-th largest of very many numbers takes no memory.
 */
final class BoundHistogram {

  private final AtomicIntegerArray counts = new AtomicIntegerArray(1 << 15);

  void add(float value) {
    if (value > 0) {
      int bucket = Float.floatToRawIntBits(value) >>> 16;
      counts.getAndUpdate(bucket, c -> c == Integer.MAX_VALUE ? c : c + 1);
    }
  }

  /** The lower edge of the bucket that holds the k-th largest number, or 0 if there are fewer. */
  float floorOf(long k) {
    long seen = 0;
    for (int bucket = counts.length() - 1; bucket > 0; bucket--) {
      seen += counts.get(bucket);
      if (seen >= k) {
        return Float.intBitsToFloat(bucket << 16);
      }
    }
    return 0f;
  }
}
