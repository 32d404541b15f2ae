package io.matryoshka.sae.internal.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.LoadOptions.Engine;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;

/** Measures one SAE over a whole grid. */
public final class BenchmarkRun {

  private final BenchmarkTarget target;
  private final BenchmarkGrid grid;
  private final IntConsumer progress;
  private int done;

  private BenchmarkRun(BenchmarkTarget target, BenchmarkGrid grid, IntConsumer progress) {
    this.target = target;
    this.grid = grid;
    this.progress = progress;
  }

  /**
   * Measures an SAE.
   *
   * @param target the SAE
   * @param grid what to measure
   * @param progress is told how many of {@link BenchmarkGrid#measurements()} are done
   * @return the figures
   * @throws IllegalArgumentException if the grid does not fit the SAE
   * @throws IOException if the SAE or its activations cannot be read
   */
  public static BenchmarkResult run(
      BenchmarkTarget target, BenchmarkGrid grid, IntConsumer progress) throws IOException {
    return new BenchmarkRun(target, grid, progress).run();
  }

  private BenchmarkResult run() throws IOException {
    boolean hasFast;
    int dIn;
    float[] values;
    try (SAE sae = target.opener().open(Engine.FAST, true)) {
      grid.requireFits(sae.dIn(), sae.dSae());
      hasFast = sae.preparedBytes() > 0;
      dIn = sae.dIn();
      values = target.activations().rows(sae, grid.maxTokens());
    }
    List<LoadTiming> loads = List.of();
    Optional<MemoryUse> memory = Optional.empty();
    if (grid.load()) {
      float[] token = Arrays.copyOf(values, dIn);
      loads = new LoadBenchmark(target, token).measure(hasFast, grid.dense());
      memory = hasFast ? MemoryUse.of(target, values, dIn) : Optional.empty();
      step();
    }
    boolean withDense = grid.dense() || !hasFast;
    try (SAE fast = hasFast ? target.opener().open(Engine.FAST, true) : null;
        SAE dense = withDense ? target.opener().open(Engine.REFERENCE, false) : null) {
      SAE either = hasFast ? fast : dense;
      List<Measurement> measured =
          measure(Optional.ofNullable(fast), Optional.ofNullable(dense), values);
      return new BenchmarkResult(
          target.name(),
          target.device(),
          dIn,
          either.dSae(),
          hasFast,
          meanL0(either, values),
          measured,
          loads,
          memory);
    }
  }

  private List<Measurement> measure(Optional<SAE> fast, Optional<SAE> dense, float[] values) {
    List<Measurement> measured = new ArrayList<>();
    try (NDManager manager = NDManager.newBaseManager(target.device())) {
      int dIn = values.length / grid.maxTokens();
      NDArray x = manager.create(values, new Shape(grid.maxTokens(), dIn));
      Benchmark benchmark = new Benchmark(fast, dense, x, grid.secondsPerTurn());
      for (Operation operation : Operation.values()) {
        if (grid.operations().contains(operation)) {
          for (int width : grid.widths()) {
            for (int tokens : grid.tokens()) {
              measured.add(benchmark.measure(operation, tokens, width));
              step();
            }
          }
        }
      }
    }
    return measured;
  }

  private static double meanL0(SAE sae, float[] values) {
    int tokens = Math.min(512, values.length / sae.dIn());
    SparseLatents latents = sae.encodeSparse(FloatBuffer.wrap(values), tokens);
    return (double) latents.activeCount() / tokens;
  }

  private void step() {
    progress.accept(++done);
  }
}
