package io.matryoshka.sae.kernel;

import java.util.Arrays;

/**
 * Latents of one row that screening could not rule out, rising, with an upper bound of each where
 * the rule needs one.
 */
final class Candidates {

  int[] latents;
  private float[] bounds;
  int size;

  /**
   * Makes an empty list.
   *
   * @param capacity most entries that will be added
   * @param withBounds whether upper bounds are kept
   */
  Candidates(int capacity, boolean withBounds) {
    latents = new int[capacity];
    bounds = new float[withBounds ? capacity : 0];
  }

  /** All latents of a prefix. */
  static Candidates all(int width) {
    Candidates all = new Candidates(width, false);
    Arrays.setAll(all.latents, latent -> latent);
    all.size = width;
    return all;
  }

  void addAll(int[] moreLatents, float[] moreBounds, int begin, int end) {
    System.arraycopy(moreLatents, begin, latents, size, end - begin);
    if (bounds.length > 0) {
      System.arraycopy(moreBounds, begin, bounds, size, end - begin);
    }
    size += end - begin;
  }

  float bound(int entry) {
    return bounds[entry];
  }

  /** Drops what cannot reach the floor. */
  void dropBelow(float floor) {
    int kept = 0;
    for (int c = 0; c < size; c++) {
      if (!(bounds[c] < floor)) {
        latents[kept] = latents[c];
        bounds[kept++] = bounds[c];
      }
    }
    size = kept;
  }
}
