package io.matryoshka.sae.kernel;

import java.util.Arrays;

/** Latents of one row that screening could not rule out, rising, with an upper bound of each. */
final class Candidates {

  int[] latents = new int[128];
  float[] bounds = new float[128];
  int size;

  void add(int latent, float bound) {
    if (size == latents.length) {
      latents = Arrays.copyOf(latents, 2 * size);
      bounds = Arrays.copyOf(bounds, 2 * size);
    }
    latents[size] = latent;
    bounds[size++] = bound;
  }

  /** Drops what the floor of the finished row rules out. */
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

  void clear() {
    size = 0;
  }

  void addAll(int width) {
    for (int latent = 0; latent < width; latent++) {
      add(latent, Float.POSITIVE_INFINITY);
    }
  }
}
