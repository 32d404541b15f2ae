package io.matryoshka.sae.internal.kernel.cpu;

import java.util.Arrays;

/** Latents of one row that screening could not rule out, rising. */
final class Candidates {

  /** What is known of each candidate. */
  enum Known {
    /** Nothing. */
    NOTHING,
    /** An upper bound of its pre-activation. */
    BOUND,
    /** Its activation where screening settled that it is active, NaN elsewhere. */
    VALUE
  }

  int[] latents;
  int size;
  private final Known known;
  private final float[] numbers;

  /**
   * Makes an empty list.
   *
   * @param capacity most entries that will be added
   * @param known what comes with each entry
   */
  Candidates(int capacity, Known known) {
    this.known = known;
    latents = new int[capacity];
    numbers = new float[known == Known.NOTHING ? 0 : capacity];
  }

  /** All latents of a prefix. */
  static Candidates all(int width) {
    Candidates all = new Candidates(width, Known.NOTHING);
    Arrays.setAll(all.latents, latent -> latent);
    all.size = width;
    return all;
  }

  void addAll(int[] moreLatents, float[] moreNumbers, int begin, int end) {
    System.arraycopy(moreLatents, begin, latents, size, end - begin);
    if (known != Known.NOTHING) {
      System.arraycopy(moreNumbers, begin, numbers, size, end - begin);
    }
    size += end - begin;
  }

  /** The activation of an entry, or NaN where only the exact product tells. */
  float value(int entry) {
    return known == Known.VALUE ? numbers[entry] : Float.NaN;
  }

  /** Whether an entry needs the exact product. */
  boolean isOpen(int entry) {
    return Float.isNaN(value(entry));
  }

  /** Number of entries that need the exact product. */
  int open() {
    if (known != Known.VALUE) {
      return size;
    }
    int open = 0;
    for (int c = 0; c < size; c++) {
      if (isOpen(c)) {
        open++;
      }
    }
    return open;
  }

  /** Drops what cannot reach the floor, given bounds. */
  void dropBelow(float floor) {
    int kept = 0;
    for (int c = 0; c < size; c++) {
      if (!(numbers[c] < floor)) {
        latents[kept] = latents[c];
        numbers[kept++] = numbers[c];
      }
    }
    size = kept;
  }
}
