package io.matryoshka.sae.internal.serve.view;

import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Lets one computation at a time use the processor, in the order in which they ask. A long one
 * steps aside between its parts, so that others have their turn.
 */
public final class Passes {

  private final Semaphore turn = new Semaphore(1, true);

  /**
   * Computes when it is its turn.
   *
   * @param <T> what is computed
   * @param cancellation keeps it from beginning, and interrupts it while it computes
   * @param work the computation
   * @return its result
   * @throws Exception what the computation throws
   */
  public <T> T run(Cancellation cancellation, Callable<T> work) throws Exception {
    turn.acquireUninterruptibly();
    try {
      cancellation.begin();
      return work.call();
    } finally {
      cancellation.end();
      turn.release();
    }
  }

  /**
   * Lets others have their turn in the middle of {@link #run}.
   *
   * @param cancellation ends the computation
   * @param meanwhile what needs no processor, such as sending what there is so far
   */
  void stepAside(Cancellation cancellation, Runnable meanwhile) {
    cancellation.end();
    turn.release();
    try {
      meanwhile.run();
    } finally {
      turn.acquireUninterruptibly();
    }
    cancellation.begin();
  }

  /**
   * Waits until nothing is computed, and keeps it so.
   *
   * @param seconds how long to wait
   * @return whether nothing is computed any more
   */
  boolean end(long seconds) {
    try {
      return turn.tryAcquire(seconds, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return turn.tryAcquire();
    }
  }
}
