package io.matryoshka.sae.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.kernel.ScreeningStats;
import java.util.Arrays;

/**
 * Measures an SAE against the dense path of libtorch. Both engines run in turns in one process, a
 * few calls each, so that their ratio holds whatever else the machine does.
 */
public final class Benchmark {

  private static final int ROUNDS = 7;
  private static final int MOST_CALLS_PER_ROUND = 200;
  private static final int WARM_UP_CALLS = 2;

  /**
   * Threads of libtorch spin for some milliseconds after a call and would slow the other engine.
   */
  private static final long SETTLE_MILLIS = 30;

  private final SAE fast;
  private final SAE dense;
  private final NDArray activations;
  private final double secondsPerRound;

  /**
   * Prepares measurements; nothing runs yet.
   *
   * @param fast an SAE with the fast engine
   * @param dense the same SAE with the reference engine
   * @param activations {@code [n, d_in]}, as many rows as the largest measurement needs
   * @param secondsPerRound about how long one engine runs before the other has its turn
   */
  public Benchmark(SAE fast, SAE dense, NDArray activations, double secondsPerRound) {
    this.fast = fast;
    this.dense = dense;
    this.activations = activations;
    this.secondsPerRound = secondsPerRound;
  }

  /**
   * Measures one operation at one size.
   *
   * @param operation what to do
   * @param tokens tokens of a call
   * @param width number of leading latents
   * @param withDense whether to run the dense form too
   * @return the medians
   */
  public Measurement measure(Operation operation, int tokens, int width, boolean withDense) {
    try (NDManager manager = activations.getManager().newSubManager()) {
      SAE fastView = fast.prefix(width);
      SAE denseView = dense.prefix(width);
      Operation.Input input = input(operation, tokens, fastView, denseView, withDense, manager);
      Scoped fastCall = scope -> operation.fast(fastView, input, scope);
      Scoped denseCall = scope -> operation.dense(denseView, input, scope);
      round(fastCall, manager);
      ScreeningStats before = fast.screeningStats();
      double[] fastTimes = new double[ROUNDS];
      double[] denseTimes = new double[ROUNDS];
      double[] ratios = new double[ROUNDS];
      for (int round = 0; round < ROUNDS; round++) {
        fastTimes[round] = round(fastCall, manager);
        denseTimes[round] = withDense ? round(denseCall, manager) : Double.NaN;
        ratios[round] = denseTimes[round] / fastTimes[round];
      }
      return new Measurement(
          operation,
          fast.dIn(),
          width,
          tokens,
          median(fastTimes),
          median(denseTimes),
          median(ratios),
          candidateShare(before, fast.screeningStats()));
    }
  }

  /** Median seconds of a call, over as many calls as the time allows. */
  private double round(Scoped call, NDManager manager) {
    settle();
    for (int i = 0; i < WARM_UP_CALLS; i++) {
      seconds(call, manager);
    }
    double[] times = new double[MOST_CALLS_PER_ROUND];
    double spent = 0;
    int calls = 0;
    while (calls == 0 || calls < times.length && spent < secondsPerRound) {
      times[calls] = seconds(call, manager);
      spent += times[calls++];
    }
    return median(Arrays.copyOf(times, calls));
  }

  private static void settle() {
    try {
      Thread.sleep(SETTLE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Operation.Input input(
      Operation operation,
      int tokens,
      SAE fastView,
      SAE denseView,
      boolean withDense,
      NDManager manager) {
    NDArray x = activations.get(":" + tokens);
    x.attach(manager);
    boolean decodes = operation == Operation.DECODE;
    SparseLatents latents =
        decodes
            ? fastView.encodeSparse(x)
            : SparseLatents.of(new int[1], new int[0], new float[0], 1);
    NDArray denseLatents = decodes && withDense ? denseView.encode(x) : manager.zeros(new Shape(0));
    return new Operation.Input(x, latents, denseLatents);
  }

  private interface Scoped {
    void in(NDManager scope);
  }

  private static double seconds(Scoped call, NDManager manager) {
    try (NDManager scope = manager.newSubManager()) {
      long begin = System.nanoTime();
      call.in(scope);
      return (System.nanoTime() - begin) * 1e-9;
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  private static double candidateShare(ScreeningStats before, ScreeningStats after) {
    long screened = after.screened() - before.screened();
    return screened == 0
        ? Double.NaN
        : (double) (after.candidates() - before.candidates()) / screened;
  }
}
