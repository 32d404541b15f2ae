package io.matryoshka.sae.internal.serve.view;

import java.util.concurrent.CancellationException;

/** Tells a running computation that nobody waits for it any more. */
public final class Cancellation {

  private volatile boolean cancelled;

  /** Asks the computation to end at its next step. */
  public void cancel() {
    cancelled = true;
  }

  /**
   * Tells whether the computation is to end.
   *
   * @return true once it was cancelled
   */
  public boolean isCancelled() {
    return cancelled;
  }

  /**
   * Ends the computation if nobody waits for it.
   *
   * @throws CancellationException if it was cancelled
   */
  public void check() {
    if (cancelled) {
      throw new CancellationException("nobody waits for the answer any more");
    }
  }
}
