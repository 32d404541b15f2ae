package io.matryoshka.sae.internal.kernel.prepared;

import java.io.IOException;

/** Reads {@code W_enc [d_in, d_sae]}, row-major, as float32. Safe for concurrent calls. */
@FunctionalInterface
public interface WeightSource {

  /**
   * Copies consecutive elements.
   *
   * @param firstElement flat index of the first element
   * @param target where they go, filled from index 0
   * @param count how many elements
   * @throws IOException if the weights cannot be read
   */
  void read(long firstElement, float[] target, int count) throws IOException;
}
