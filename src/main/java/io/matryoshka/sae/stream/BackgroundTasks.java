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

/**
 * Tasks that one background thread runs in order, their results taken in the same order. A failure
 * surfaces where its result is taken; tasks after a failed one are not run.
 *
 * @param <T> the type of a result
 */
final class BackgroundTasks<T> implements AutoCloseable {

  private final ExecutorService thread;
  private final Deque<Future<T>> pending = new ArrayDeque<>();
  private volatile boolean stopped;

  BackgroundTasks(String threadName) {
    thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread created = new Thread(task, threadName);
              created.setDaemon(true);
              return created;
            });
  }

  /** Queues a task; the caller bounds their number by taking results. */
  void submit(Callable<T> task) {
    try {
      pending.add(thread.submit(() -> run(task)));
    } catch (RejectedExecutionException e) {
      throw new IllegalStateException("closed; open a new one", e);
    }
  }

  private T run(Callable<T> task) throws Exception {
    if (stopped) {
      throw new IllegalStateException("a task before this one failed");
    }
    try {
      return task.call();
    } catch (Throwable e) {
      stopped = true;
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

  /** Lets the running task end and drops the others. Closing twice is fine. */
  @Override
  public void close() {
    stopped = true;
    pending.clear();
    thread.shutdown();
    boolean interrupted = false;
    while (!thread.isTerminated()) {
      try {
        thread.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true; // The task ends by itself; its files must not be closed under it.
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
