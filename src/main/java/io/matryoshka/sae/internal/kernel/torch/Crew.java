package io.matryoshka.sae.internal.kernel.torch;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * Runs batch after batch of tasks on the {@link Workers}, for work of which each batch takes only a
 * fraction of a millisecond. Those who help stay awake for half a millisecond after a batch, since
 * to wake a thread takes 25 µs and more, and leave earlier when others have work for them. They nap
 * now and then: the system looks for a free processor for a thread that wakes, but may leave two
 * that never sleep on one processor for as long as they run.
 *
 * <p>One thread at a time may run batches.
 */
public final class Crew {

  /** So long a helper waits for the next batch. */
  private static final long AWAKE_NANOS = 500_000;

  /** So long it waits where other work needs a worker: other helpers may be what is queued. */
  private static final long GRACE_NANOS = 50_000;

  /** So long the caller waits for the last tasks before it sleeps between two looks. */
  private static final long BRIEF_NANOS = 50_000;

  /** Asks for the shortest sleep that there is: 50 µs on Linux. */
  private static final long NAP_NANOS = 1_000;

  /** A helper naps so often. */
  private static final long BETWEEN_NAPS_NANOS = 4_000_000;

  private final Helper[] helpers = new Helper[Workers.count() - 1];
  private volatile Batch current = new Batch(0, i -> {});

  /** Makes a crew of all workers, of which nobody helps yet. */
  public Crew() {
    for (int i = 0; i < helpers.length; i++) {
      helpers[i] = new Helper();
    }
  }

  /**
   * Runs a task for all of {@code 0..count-1} and waits for the last. The caller gets what a task
   * throws; those that have not begun then do not run.
   *
   * @param count how many; a single one runs on the calling thread
   * @param task must not depend on the order of its calls
   */
  public void run(int count, IntConsumer task) {
    if (count == 1) {
      task.accept(0);
    } else {
      Workers.call(
          () -> {
            share(new Batch(count, task));
            return null;
          });
    }
  }

  private void share(Batch batch) {
    current = batch;
    for (int i = 0; i < Math.min(helpers.length, batch.count - 1); i++) {
      helpers[i].wake();
    }
    batch.work();
    batch.await();
  }

  private static final class Batch {

    private final int count;
    private final IntConsumer task;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger left;
    private volatile Throwable failure;

    Batch(int count, IntConsumer task) {
      this.count = count;
      this.task = task;
      this.left = new AtomicInteger(count);
    }

    boolean hasWork() {
      return next.get() < count;
    }

    void work() {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        try {
          if (failure == null) {
            task.accept(i);
          }
        } catch (RuntimeException | Error e) {
          failure = e;
        } finally {
          left.getAndDecrement();
        }
      }
    }

    void await() {
      long start = System.nanoTime();
      while (left.get() > 0) {
        if (System.nanoTime() - start < BRIEF_NANOS) {
          Thread.onSpinWait();
        } else {
          LockSupport.parkNanos(NAP_NANOS);
        }
      }
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
    }
  }

  private final class Helper implements Runnable {

    private final AtomicBoolean awake = new AtomicBoolean();

    void wake() {
      if (!awake.getAndSet(true)) {
        Workers.start(this);
      }
    }

    @Override
    public void run() {
      do {
        long last = System.nanoTime();
        long nap = last;
        long idle = 0;
        while (idle < GRACE_NANOS || idle < AWAKE_NANOS && !Workers.areWanted()) {
          Batch batch = current;
          if (batch.hasWork()) {
            batch.work();
            last = System.nanoTime();
            if (last - nap > BETWEEN_NAPS_NANOS) {
              LockSupport.parkNanos(NAP_NANOS);
              nap = System.nanoTime();
              last = nap;
            }
          } else {
            Thread.onSpinWait();
          }
          idle = System.nanoTime() - last;
        }
        awake.set(false);
      } while (current.hasWork() && !awake.getAndSet(true));
    }
  }
}
