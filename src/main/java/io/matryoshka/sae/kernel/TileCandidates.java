package io.matryoshka.sae.kernel;

import java.util.Arrays;

/** The latents of one tile that screening could not rule out, row after row, rising. */
final class TileCandidates {

  private final int[] ends;
  private int[] latents = new int[256];
  private float[] bounds;
  private int size;

  /**
   * Makes an empty list.
   *
   * @param rows number of rows
   * @param withBounds whether upper bounds are kept
   */
  TileCandidates(int rows, boolean withBounds) {
    ends = new int[rows];
    bounds = new float[withBounds ? latents.length : 0];
  }

  void add(int latent) {
    if (size == latents.length) {
      latents = Arrays.copyOf(latents, 2 * size);
      if (bounds.length > 0) {
        bounds = Arrays.copyOf(bounds, 2 * size);
      }
    }
    latents[size++] = latent;
  }

  void add(int latent, float bound) {
    add(latent);
    bounds[size - 1] = bound;
  }

  /** Number of entries so far. */
  int size() {
    return size;
  }

  void endRow(int row) {
    ends[row] = size;
  }

  /** Number of candidates of a row. */
  int count(int row) {
    return ends[row] - begin(row);
  }

  void appendRow(int row, Candidates target) {
    target.addAll(latents, bounds, begin(row), ends[row]);
  }

  private int begin(int row) {
    return row == 0 ? 0 : ends[row - 1];
  }
}
