package io.matryoshka.sae.internal.serve;

import io.matryoshka.sae.internal.serve.view.Cancellation;
import io.matryoshka.sae.internal.serve.view.Limits;
import io.matryoshka.sae.internal.serve.view.Passes;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Where calls wait for their turn: single ones in a bounded queue behind one thread, a few
 * continuations beside them. A call whose page has gone is taken out, or cancelled if it runs.
 */
final class Desk implements AutoCloseable {

  private final Passes passes;
  private final ClientWatch watch = new ClientWatch();
  private final ThreadPoolExecutor single;
  private final ExecutorService streaming = Executors.newCachedThreadPool(daemons("serve-stream"));
  private final Semaphore streams;
  private final Set<Call> open = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  Desk(Limits limits, Passes passes) {
    this.passes = passes;
    streams = new Semaphore(limits.streams());
    single =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(limits.waitingCalls()),
            daemons("serve-call"));
  }

  private static ThreadFactory daemons(String name) {
    return work -> {
      Thread thread = new Thread(work, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  Passes passes() {
    return passes;
  }

  /** A thread for another part of a continuation. */
  ExecutorService streaming() {
    return streaming;
  }

  /** Queues a call that is answered at once; refuses it if the queue is full. */
  void submit(Call call) {
    enter(call);
    try {
      single.execute(call);
    } catch (RejectedExecutionException e) {
      refuse(call);
    }
  }

  /** Begins a call that is answered bit by bit; refuses it if there are too many. */
  void stream(Call call) {
    enter(call);
    if (closed || !streams.tryAcquire()) {
      refuse(call);
      return;
    }
    try {
      streaming.execute(
          () -> {
            try {
              call.run();
            } finally {
              streams.release();
            }
          });
    } catch (RejectedExecutionException e) {
      streams.release();
      refuse(call);
    }
  }

  /** The number of calls that are not answered yet, those that wait among them. */
  int inHand() {
    return open.size();
  }

  /** The number of calls that wait for those before them. */
  int waiting() {
    return single.getQueue().size();
  }

  private void enter(Call call) {
    call.whenAnswered(() -> leave(call));
    open.add(call);
    watch.add(call.request(), () -> abandon(call));
  }

  /** To be called before the answer ends. */
  private void leave(Call call) {
    watch.remove(call.request());
    open.remove(call);
  }

  private void refuse(Call call) {
    if (closed) {
      call.refuse(Refusal.STOPPING, "the server is about to end");
    } else {
      call.refuse(Refusal.TOO_MANY_CALLS, "too many calls are waiting; try again in a moment");
    }
  }

  private void abandon(Call call) {
    Cancellation cancellation = call.cancellation();
    cancellation.cancel();
    if (single.remove(call)) {
      call.drop();
    }
  }

  /** Takes no more calls, refuses those that wait and cancels those that run. */
  @Override
  public void close() {
    closed = true;
    open.forEach(call -> call.cancellation().cancel());
    single
        .shutdownNow()
        .forEach(
            waiting -> ((Call) waiting).refuse(Refusal.STOPPING, "the server is about to end"));
    streaming.shutdown();
    watch.close();
  }
}
