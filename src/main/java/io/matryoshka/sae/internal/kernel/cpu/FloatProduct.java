package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDManager;
import java.nio.FloatBuffer;

/** A float32 product of activations and encoder rows, in any order of summation. */
interface FloatProduct {

  /**
   * Takes rows as left factors.
   *
   * @param x the activations
   * @param groupRows most rows of one product
   * @param scope owns what is made of them
   */
  Groups groups(ActivationRows x, int groupRows, NDManager scope);

  /** The left factors, cut into groups of rows. Safe for concurrent calls. */
  interface Groups {

    /**
     * Multiplies a group with the rows of a tile.
     *
     * @param group number of the group
     * @param tile which latents
     * @param scope owns temporaries
     * @return {@code [rows of the group, latents of the tile]}, until the next call on this thread
     */
    FloatBuffer multiply(int group, Tile tile, NDManager scope);
  }
}
