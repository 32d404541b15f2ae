package io.matryoshka.sae.stream;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Tasks that background threads begin in order, their results taken in the same order. A failure
 * surfaces where its result is taken; tasks after a failed one are not begun.
 *
 * @param <T> the type of a result
 */
final class BackgroundTasks<T> implements AutoCloseable {

  private final ExecutorService threads;
  private final Deque<Future<T>> pending = new ArrayDeque<>();

  /** The first task that failed; none after it is begun. */
  private final AtomicLong failed = new AtomicLong(Long.MAX_VALUE);

  private long submitted;

  /** Starts one thread, so that a task begins when the one before has ended. */
  BackgroundTasks(String threadName) {
    this(threadName, 1);
  }

  BackgroundTasks(String threadName, int threadCount) {
    threads =
        Executors.newFixedThreadPool(
            threadCount,
            task -> {
              Thread created = new Thread(task, threadName);
              created.setDaemon(true);
              return created;
            });
  }

  /** Queues a task; the caller bounds their number by taking results. */
  void submit(Callable<T> task) {
    try {
      long number = submitted++;
      pending.add(threads.submit(() -> run(number, task)));
    } catch (RejectedExecutionException e) {
      throw new IllegalStateException("closed; open a new one", e);
    }
  }

  private T run(long number, Callable<T> task) throws Exception {
    if (number > failed.get()) {
      throw new IllegalStateException("a task before this one failed");
    }
    try {
      return task.call();
    } catch (Throwable e) {
      failed.accumulateAndGet(number, Math::min);
      throw e;
    }
  }

  int pending() {
    return pending.size();
  }

  /** Waits for the oldest task and returns its result, or throws what it threw. */
  T take() throws IOException {
    Future<T> oldest = pending.poll();
    if (oldest == null) {
      throw new IllegalStateException("closed, or failed before; open a new one");
    }
    try {
      return oldest.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for a file");
    } catch (ExecutionException e) {
      throw rethrow(e.getCause());
    }
  }

  private static IOException rethrow(Throwable cause) throws IOException {
    if (cause instanceof IOException io) {
      throw io;
    }
    if (cause instanceof RuntimeException runtime) {
      throw runtime;
    }
    if (cause instanceof Error error) {
      throw error;
    }
    return new IOException(cause);
  }

  /** Lets tasks end that have begun, and drops the others. Closing twice is fine. */
  @Override
  public void close() {
    failed.set(-1);
    pending.clear();
    threads.shutdown();
    boolean interrupted = false;
    while (!threads.isTerminated()) {
      try {
        threads.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true; // Tasks end by themselves; their files must not be closed under them.
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
