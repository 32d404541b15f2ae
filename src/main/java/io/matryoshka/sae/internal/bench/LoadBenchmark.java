package io.matryoshka.sae.internal.bench;

import io.matryoshka.sae.LoadOptions.Engine;
import io.matryoshka.sae.SAE;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Times loading an SAE and encoding a first token. */
final class LoadBenchmark {

  private static final int ROUNDS = 3;

  private final BenchmarkTarget target;
  private final float[] token;

  /**
   * Prepares the measurement.
   *
   * @param target the SAE
   * @param token {@code [d_in]} activation
   */
  LoadBenchmark(BenchmarkTarget target, float[] token) {
    this.target = target;
    this.token = token;
  }

  /** Measures all that the SAE offers. */
  List<LoadTiming> measure(boolean hasFast, boolean withDense) throws IOException {
    List<LoadTiming> timings = new ArrayList<>();
    if (hasFast) {
      timings.add(time(LoadTiming.Kind.FIRST_TIME));
      open(Engine.FAST, true);
      timings.add(time(LoadTiming.Kind.NEXT_TIME));
    }
    if (withDense || !hasFast) {
      timings.add(time(LoadTiming.Kind.DENSE));
    }
    return timings;
  }

  private LoadTiming time(LoadTiming.Kind kind) throws IOException {
    double[] load = new double[ROUNDS];
    double[] first = new double[ROUNDS];
    double[] total = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      double[] seconds =
          switch (kind) {
            case FIRST_TIME -> openAfterDeleting();
            case NEXT_TIME -> open(Engine.FAST, true);
            case DENSE -> open(Engine.REFERENCE, false);
          };
      load[round] = seconds[0];
      first[round] = seconds[1];
      total[round] = seconds[0] + seconds[1];
    }
    return new LoadTiming(
        kind, TimingSummary.of(load), TimingSummary.of(first), TimingSummary.of(total));
  }

  /** Of a user's SAE the stored layout stays where it is, and the new one is not stored. */
  private double[] openAfterDeleting() throws IOException {
    if (target.folder().isPresent()) {
      target.folder().get().deletePreparedData();
    }
    return open(Engine.FAST, target.folder().isPresent());
  }

  /** Seconds of the load and of the first encode. */
  private double[] open(Engine engine, boolean preparedCache) throws IOException {
    long begin = System.nanoTime();
    try (SAE sae = target.opener().open(engine, preparedCache)) {
      long loaded = System.nanoTime();
      sae.encodeSparse(token);
      long encoded = System.nanoTime();
      return new double[] {(loaded - begin) * 1e-9, (encoded - loaded) * 1e-9};
    }
  }
}
