package io.matryoshka.sae.internal.kernel.cpu;

import java.util.Arrays;

/**
 * Lower bounds of the k-th largest pre-activation of each row, from the k largest lower bounds that
 * each tile found.
 */
final class RowKthLargest {

  private final int k;
  private final float[][] found;
  private final float[] soFar;

  RowKthLargest(int rows, int tiles, int k) {
    this.k = k;
    found = new float[tiles * rows][];
    soFar = new float[rows];
    Arrays.fill(soFar, Float.NEGATIVE_INFINITY);
  }

  /** A floor from the tiles that are done, to skip what is far below; it may rise meanwhile. */
  float soFar(int row) {
    return soFar[row];
  }

  /** Takes the result of one tile. */
  void put(int row, int tile, KthLargest top) {
    found[tile * soFar.length + row] = top.values();
    soFar[row] = Math.max(soFar[row], top.floor());
  }

  /** The floor of a row of which all tiles are done; it does not depend on their order. */
  float of(int row) {
    KthLargest all = new KthLargest(k);
    for (int at = row; at < found.length; at += soFar.length) {
      for (float value : found[at]) {
        all.offer(value);
      }
    }
    return all.floor();
  }
}
