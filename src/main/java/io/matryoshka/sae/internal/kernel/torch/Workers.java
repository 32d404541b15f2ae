package io.matryoshka.sae.internal.kernel.torch;

import ai.djl.pytorch.jni.JniUtils;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.concurrent.RecursiveAction;
import java.util.function.Supplier;

/**
 * The threads on which the fast engine and language models compute: as many as libtorch would use,
 * but no more than the JVM has processors where the user chose no number ({@link #limitTorch}). All
 * SAEs and models of the JVM share them, so concurrent callers queue for them and never
 * oversubscribe the processor.
 *
 * <p>libtorch runs each operation of a worker on that worker alone. Its own threads would spin for
 * milliseconds after every operation and take the processor from the loops in Java that follow.
 */
public final class Workers {

  private static final class Pool {
    static final ForkJoinPool INSTANCE = create();

    private static ForkJoinPool create() {
      limitTorch();
      return new ForkJoinPool(Math.max(1, JniUtils.getNumThreads()), Worker::new, null, false);
    }
  }

  /** Settings of the user on the number of threads, which are not touched. */
  private static final boolean CHOSEN =
      System.getenv("OMP_NUM_THREADS") != null
          || System.getenv("MKL_NUM_THREADS") != null
          || System.getProperty("ai.djl.pytorch.num_threads") != null;

  /** So long a caller waits for brief work before it sleeps. */
  private static final long BRIEF_NANOS = 300_000;

  private Workers() {}

  /**
   * Gives libtorch no more threads than the JVM has processors, by the limit of the container or
   * {@code -XX:ActiveProcessorCount}; libtorch itself counts those of the host. What the user chose
   * by {@code OMP_NUM_THREADS} or {@code ai.djl.pytorch.num_threads} stays.
   */
  public static void limitTorch() {
    int processors = Runtime.getRuntime().availableProcessors();
    if (!CHOSEN && !isWorker() && JniUtils.getNumThreads() > processors) {
      JniUtils.setNumThreads(processors);
    }
  }

  /** What is done for part of a range. */
  public interface RangeTask {
    void run(int begin, int end);
  }

  /**
   * Runs work on a worker and waits for it; on a worker, runs it immediately. The caller gets what
   * the work throws.
   *
   * @param <T> what the work returns
   * @param work may use {@link #forRanges} and libtorch
   * @return its result
   */
  public static <T> T call(Supplier<T> work) {
    return call(work, 0);
  }

  /**
   * The same for work that one worker does in a fraction of a millisecond: the caller does not
   * sleep meanwhile, as waking takes 25 µs.
   *
   * @param <T> what the work returns
   * @param work may use libtorch
   * @return its result
   */
  public static <T> T callBriefly(Supplier<T> work) {
    return call(work, BRIEF_NANOS);
  }

  private static <T> T call(Supplier<T> work, long awake) {
    if (isWorker()) {
      return work.get();
    }
    Call<T> call = new Call<>(work);
    Pool.INSTANCE.execute(call);
    if (awake > 0) {
      long end = System.nanoTime() + awake;
      while (!call.isDone() && System.nanoTime() < end) {
        Thread.onSpinWait();
      }
    }
    call.quietlyJoin();
    return call.result();
  }

  /** Has a worker do some work, and does not wait for it. */
  public static void start(Runnable work) {
    Pool.INSTANCE.execute(work);
  }

  /** Tells whether work waits for a worker. */
  static boolean areWanted() {
    return Pool.INSTANCE.hasQueuedSubmissions() || Pool.INSTANCE.getQueuedTaskCount() > 0;
  }

  /** Number of workers. */
  public static int count() {
    return Pool.INSTANCE.getParallelism();
  }

  /**
   * Runs a task for all of {@code 0..count-1}, in parallel, in ranges of at most {@code grain}.
   *
   * @param count end of the range
   * @param grain longest range that one call of the task gets
   * @param task must not depend on the order of its calls
   */
  public static void forRanges(int count, int grain, RangeTask task) {
    if (count <= grain) {
      if (count > 0) {
        task.run(0, count);
      }
      return;
    }
    call(
        () -> {
          new Ranges(0, count, grain, task).invoke();
          return null;
        });
  }

  /** Tells whether the calling thread is a worker. */
  public static boolean isWorker() {
    return Thread.currentThread() instanceof Worker;
  }

  /**
   * Carries a result or failure as it is; a fork-join task would wrap the failure.
   *
   * @param <T> what the work returns
   */
  private static final class Call<T> extends RecursiveAction {
    private static final long serialVersionUID = 1;
    private final transient Supplier<T> work;
    private transient T result;
    private transient Throwable failure;

    Call(Supplier<T> work) {
      this.work = work;
    }

    @Override
    protected void compute() {
      try {
        result = work.get();
      } catch (RuntimeException | Error e) {
        failure = e;
      }
    }

    T result() {
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
      return result;
    }
  }

  private static final class Ranges extends RecursiveAction {
    private static final long serialVersionUID = 1;
    private final int begin;
    private final int end;
    private final int grain;
    private final transient RangeTask task;

    Ranges(int begin, int end, int grain, RangeTask task) {
      this.begin = begin;
      this.end = end;
      this.grain = grain;
      this.task = task;
    }

    @Override
    protected void compute() {
      if (end - begin <= grain) {
        task.run(begin, end);
        return;
      }
      int ranges = (end - begin + grain - 1) / grain;
      int middle = begin + ranges / 2 * grain;
      invokeAll(new Ranges(begin, middle, grain, task), new Ranges(middle, end, grain, task));
    }
  }

  private static final class Worker extends ForkJoinWorkerThread {
    Worker(ForkJoinPool pool) {
      super(pool);
      setName("matryoshka-sae-" + getPoolIndex());
    }

    @Override
    protected void onStart() {
      super.onStart();
      keepTorchOnThisThread();
    }

    /**
     * libtorch's setter changes the calling thread and what threads that never used libtorch will
     * start with; another thread puts the latter back.
     */
    private static void keepTorchOnThisThread() {
      int before = JniUtils.getNumThreads();
      if (before == 1) {
        return;
      }
      JniUtils.setNumThreads(1);
      Thread restorer = new Thread(() -> JniUtils.setNumThreads(before));
      restorer.start();
      boolean interrupted = false;
      while (restorer.isAlive()) {
        try {
          restorer.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
