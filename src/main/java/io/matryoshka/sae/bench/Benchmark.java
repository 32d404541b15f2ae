package io.matryoshka.sae.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.kernel.ScreeningStats;
import java.util.Arrays;

/**
 * Measures an SAE against the dense path of libtorch. Both engines run in turns in one process, so
 * that their ratio holds whatever else the machine does.
 */
public final class Benchmark {

  private static final int WARM_UP_ROUNDS = 3;
  private static final int MOST_ROUNDS = 200;
  private static final int FEWEST_ROUNDS = 5;

  private final SAE fast;
  private final SAE dense;
  private final NDArray activations;
  private final double secondsPerMeasurement;

  /**
   * Prepares measurements; nothing runs yet.
   *
   * @param fast an SAE with the fast engine
   * @param dense the same SAE with the reference engine
   * @param activations {@code [n, d_in]}, as many rows as the largest measurement needs
   * @param secondsPerMeasurement about how long one measurement may take after warming up
   */
  public Benchmark(SAE fast, SAE dense, NDArray activations, double secondsPerMeasurement) {
    this.fast = fast;
    this.dense = dense;
    this.activations = activations;
    this.secondsPerMeasurement = secondsPerMeasurement;
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
      for (int round = 0; round < WARM_UP_ROUNDS; round++) {
        seconds(() -> run(scope -> operation.fast(fastView, input, scope), manager));
      }
      ScreeningStats before = fast.screeningStats();
      double[] fastTimes = new double[MOST_ROUNDS];
      double[] ratios = new double[MOST_ROUNDS];
      double[] denseTimes = new double[MOST_ROUNDS];
      double spent = 0;
      int rounds = 0;
      while (rounds < FEWEST_ROUNDS || rounds < MOST_ROUNDS && spent < secondsPerMeasurement) {
        double quick = seconds(() -> run(scope -> operation.fast(fastView, input, scope), manager));
        double slow =
            withDense
                ? seconds(() -> run(scope -> operation.dense(denseView, input, scope), manager))
                : Double.NaN;
        fastTimes[rounds] = quick;
        denseTimes[rounds] = slow;
        ratios[rounds++] = slow / quick;
        spent += withDense ? quick + slow : quick;
      }
      return new Measurement(
          operation,
          fast.dIn(),
          width,
          tokens,
          rounds,
          median(fastTimes, rounds),
          median(denseTimes, rounds),
          median(ratios, rounds),
          candidateShare(before, fast.screeningStats()));
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

  private static void run(Scoped work, NDManager manager) {
    try (NDManager scope = manager.newSubManager()) {
      work.in(scope);
    }
  }

  private static double seconds(Runnable work) {
    long begin = System.nanoTime();
    work.run();
    return (System.nanoTime() - begin) * 1e-9;
  }

  private static double median(double[] values, int count) {
    double[] sorted = Arrays.copyOf(values, count);
    Arrays.sort(sorted);
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
  }

  private static double candidateShare(ScreeningStats before, ScreeningStats after) {
    long screened = after.screened() - before.screened();
    return screened == 0
        ? Double.NaN
        : (double) (after.candidates() - before.candidates()) / screened;
  }
}
