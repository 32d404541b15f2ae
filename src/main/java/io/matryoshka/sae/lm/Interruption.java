package io.matryoshka.sae.lm;

import java.util.concurrent.CancellationException;

/** Ends a pass of a model whose caller does not want it any more. */
final class Interruption {

  private Interruption() {}

  /**
   * Ends the pass between two of its blocks.
   *
   * @throws CancellationException if the calling thread is interrupted, which it stays
   */
  static void check() {
    if (Thread.currentThread().isInterrupted()) {
      throw new CancellationException("interrupted in a pass of the language model");
    }
  }
}
