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
    check(Thread.currentThread());
  }

  /**
   * Ends a pass that another thread computes.
   *
   * @throws CancellationException if the caller of the pass is interrupted, which it stays
   */
  static void check(Thread caller) {
    if (caller.isInterrupted()) {
      throw new CancellationException("interrupted in a pass of the language model");
    }
  }
}
