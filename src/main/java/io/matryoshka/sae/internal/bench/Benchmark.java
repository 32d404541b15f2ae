package io.matryoshka.sae.internal.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.internal.kernel.ScreeningCounters;
import io.matryoshka.sae.internal.kernel.ScreeningStats;
import java.util.Arrays;
import java.util.Optional;

/**
 * Measures an SAE against the dense path of libtorch. Both engines run in turns in one process, a
 * few calls each, so that their ratio holds whatever else the machine does.
 */
final class Benchmark {

  private static final int MAX_ROUNDS = 7;

  /** Slow calls get fewer rounds, yet enough to show the spread. */
  private static final int MIN_ROUNDS = 3;

  /** Calls that take minutes get one round. */
  private static final double MAX_SECONDS = 30;

  /** Turns before the first measurement, in which the JVM compiles the loops. */
  private static final int WARM_UP_TURNS = 10;

  private final Optional<SAE> fast;
  private final Optional<SAE> dense;
  private final NDArray activations;
  private final double secondsPerTurn;
  private final AlternatingTimer timer;
  private boolean warm;

  /**
   * Prepares measurements; nothing runs yet.
   *
   * @param fast an SAE with the fast engine, unless there is none
   * @param dense the same SAE with the reference engine, unless it is not wanted
   * @param activations {@code [n, d_in]}, as many rows as the largest measurement needs
   * @param secondsPerTurn about how long one engine runs before the other has its turn
   */
  Benchmark(Optional<SAE> fast, Optional<SAE> dense, NDArray activations, double secondsPerTurn) {
    this.fast = fast;
    this.dense = dense;
    this.activations = activations;
    this.secondsPerTurn = secondsPerTurn;
    this.timer = new AlternatingTimer(activations.getManager(), secondsPerTurn);
  }

  /**
   * Measures one operation at one size.
   *
   * @param operation what to do
   * @param tokens tokens of a call
   * @param width number of leading latents
   * @return the medians and their range
   */
  Measurement measure(Operation operation, int tokens, int width) {
    try (NDManager manager = activations.getManager().newSubManager()) {
      Operation.Input input = input(operation, tokens, width, manager);
      Optional<AlternatingTimer.Call> fastCall =
          fast.map(sae -> sae.prefix(width)).map(v -> scope -> operation.fast(v, input, scope));
      Optional<AlternatingTimer.Call> denseCall =
          dense.map(sae -> sae.prefix(width)).map(v -> scope -> operation.dense(v, input, scope));
      warmUp(fastCall.or(() -> denseCall).orElseThrow());
      ScreeningStats before = stats();
      double[] fastTimes = new double[MAX_ROUNDS];
      double[] denseTimes = new double[MAX_ROUNDS];
      double[] ratios = new double[MAX_ROUNDS];
      long begin = System.nanoTime();
      int rounds = 0;
      while (rounds < MAX_ROUNDS && (System.nanoTime() - begin) * 1e-9 < secondsFor(rounds)) {
        fastTimes[rounds] = fastCall.map(timer::take).orElse(Double.NaN);
        denseTimes[rounds] = denseCall.map(timer::take).orElse(Double.NaN);
        ratios[rounds] = denseTimes[rounds] / fastTimes[rounds];
        rounds++;
      }
      return new Measurement(
          operation,
          Math.toIntExact(activations.getShape().get(1)),
          width,
          tokens,
          rounds,
          summary(fast, fastTimes, rounds),
          summary(dense, denseTimes, rounds),
          fast.isPresent() ? summary(dense, ratios, rounds) : TimingSummary.NONE,
          candidateShare(before, stats()));
    }
  }

  private void warmUp(AlternatingTimer.Call call) {
    for (int turn = 0; turn < (warm ? 1 : WARM_UP_TURNS); turn++) {
      timer.take(call);
    }
    warm = true;
  }

  /** How long a measurement may have taken so far if another round is to follow. */
  private double secondsFor(int rounds) {
    if (rounds < MIN_ROUNDS) {
      return rounds == 0 ? Double.POSITIVE_INFINITY : MAX_SECONDS;
    }
    return 2 * MAX_ROUNDS * secondsPerTurn;
  }

  private static TimingSummary summary(Optional<SAE> measured, double[] values, int rounds) {
    return measured.isPresent()
        ? TimingSummary.of(Arrays.copyOf(values, rounds))
        : TimingSummary.NONE;
  }

  private Operation.Input input(Operation operation, int tokens, int width, NDManager manager) {
    NDArray x = activations.get(":" + tokens);
    x.attach(manager);
    if (operation != Operation.DECODE) {
      SparseLatents none = SparseLatents.of(new int[1], new int[0], new float[0], 1);
      return new Operation.Input(x, none, manager.zeros(new Shape(0)));
    }
    SparseLatents latents = fast.or(() -> dense).orElseThrow().prefix(width).encodeSparse(x);
    NDArray denseLatents =
        dense.isPresent() ? latents.toDense(manager) : manager.zeros(new Shape(0));
    return new Operation.Input(x, latents, denseLatents);
  }

  private ScreeningStats stats() {
    return ScreeningCounters.all();
  }

  private static double candidateShare(ScreeningStats before, ScreeningStats after) {
    long screened = after.screened() - before.screened();
    return screened == 0
        ? Double.NaN
        : (double) (after.candidates() - before.candidates()) / screened;
  }
}
