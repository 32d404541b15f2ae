package io.matryoshka.sae.internal.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.torch.HostCopy;
import java.util.Arrays;

/** Times calls: a turn is as many as fit into its time, and its result is the median call. */
final class AlternatingTimer {

  private static final int MAX_CALLS = 200;

  /** Threads of libtorch spin for some milliseconds after a call and would slow what comes next. */
  private static final long MAX_SETTLE_MILLIS = 30;

  private final NDManager manager;
  private final double secondsPerTurn;

  /** Copying it from an accelerator waits for what was started there. */
  private final NDArray fence;

  AlternatingTimer(NDManager manager, double secondsPerTurn) {
    this.manager = manager;
    this.secondsPerTurn = secondsPerTurn;
    this.fence = manager.create(0f);
  }

  /** What is timed; its arrays attach to the scope. */
  interface Call {
    void in(NDManager scope);
  }

  /**
   * Takes a turn. A call that takes most of the turn is timed immediately; shorter ones get a call
   * before that does not count.
   *
   * @return median seconds of a call
   */
  double take(Call call) {
    settle();
    double first = seconds(call);
    if (first > secondsPerTurn / 2) {
      return first;
    }
    double[] times = new double[MAX_CALLS];
    double spent = 0;
    int calls = 0;
    while (calls == 0 || calls < times.length && spent < secondsPerTurn) {
      times[calls] = seconds(call);
      spent += times[calls++];
    }
    return TimingSummary.of(Arrays.copyOf(times, calls)).median();
  }

  private double seconds(Call call) {
    try (NDManager scope = manager.newSubManager()) {
      long begin = System.nanoTime();
      call.in(scope);
      if (manager.getDevice().isGpu()) {
        HostCopy.floats(fence);
      }
      return (System.nanoTime() - begin) * 1e-9;
    }
  }

  /** A pause that is not longer than the turn itself. */
  private void settle() {
    try {
      Thread.sleep(Math.min(MAX_SETTLE_MILLIS, (long) (secondsPerTurn * 1000)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
