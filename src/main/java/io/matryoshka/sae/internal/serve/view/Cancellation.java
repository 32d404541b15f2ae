package io.matryoshka.sae.internal.serve.view;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CancellationException;

/**
 * Tells running computations that nobody waits for them any more: their threads are interrupted,
 * which ends a pass of the language model before its next layer.
 */
public final class Cancellation {

  private final Set<Thread> computing = new HashSet<>();
  private boolean cancelled;

  /** Asks the computations to end at their next step. */
  public synchronized void cancel() {
    cancelled = true;
    computing.forEach(Thread::interrupt);
  }

  /**
   * Tells whether the computations are to end.
   *
   * @return true once it was cancelled
   */
  public synchronized boolean isCancelled() {
    return cancelled;
  }

  /**
   * Ends the computation if nobody waits for it.
   *
   * @throws CancellationException if it was cancelled
   */
  public synchronized void check() {
    if (cancelled) {
      throw new CancellationException("nobody waits for the answer any more");
    }
  }

  /** From now on the calling thread computes, and may be interrupted. */
  synchronized void begin() {
    check();
    computing.add(Thread.currentThread());
  }

  /** The calling thread does something else, and does not hear of an interruption any more. */
  @SuppressWarnings("ResultOfMethodCallIgnored") // Reading the interruption ends it.
  synchronized void end() {
    if (computing.remove(Thread.currentThread()) && cancelled) {
      Thread.interrupted();
    }
  }
}
