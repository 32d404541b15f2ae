package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.LongAdder;

/**
 * The most that the processor and its memory give to the engines, measured by the means that the
 * engines use. Each figure is that of the fastest of several tries.
 *
 * @param product the product that screens on this processor, and why
 * @param threads workers of the fast engine, as many as the threads of libtorch
 * @param float32PerSecond floating-point operations per second of a dense float32 product in
 *     libtorch
 * @param int8PerSecond operations per second of int8 products on all workers; NaN where they are
 *     not exact or not fast, and thus not used
 * @param readBytesPerSecond bytes per second that all workers together read from memory in order
 */
public record MachineLimits(
    String product,
    int threads,
    double float32PerSecond,
    double int8PerSecond,
    double readBytesPerSecond) {

  private static final int ROWS = 512;
  private static final int INNER = 2048;
  private static final int TILE_COLUMNS = Tuning.tileLatents(ROWS);
  private static final int TILES = 16;
  private static final int MIN_TRIES = 5;

  /** Far above the last cache of a processor core, and a small part of the heap. */
  private static final int MAX_READ_LONGS = 1 << 25;

  private static final int READ_GRAIN = 1 << 16;

  /** A task that is timed as a whole. */
  private interface Task {
    void run();
  }

  /**
   * Measures the limits; takes about three times as long as a figure.
   *
   * @param seconds how long each figure is tried for, five times at least
   * @return the limits of this machine now
   */
  public static MachineLimits measure(double seconds) {
    double float32 = float32(seconds); // starts libtorch, which tells the number of threads
    double int8 = int8(seconds);
    String product = ProductChoice.ofThisMachine().description();
    return new MachineLimits(product, Workers.count(), float32, int8, readBandwidth(seconds));
  }

  /** Best seconds of the task. */
  private static double best(double seconds, Task task) {
    double best = Double.POSITIVE_INFINITY;
    long begin = System.nanoTime();
    for (int i = 0; i < MIN_TRIES || (System.nanoTime() - begin) * 1e-9 < seconds; i++) {
      long start = System.nanoTime();
      task.run();
      best = Math.min(best, (System.nanoTime() - start) * 1e-9);
    }
    return best;
  }

  private static double float32(double seconds) {
    int columns = TILES * TILE_COLUMNS / 2;
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray x = manager.ones(new Shape(ROWS, INNER));
      NDArray w = manager.ones(new Shape(INNER, columns));
      double time = best(seconds, () -> x.matMul(w).close());
      return 2.0 * ROWS * INNER * columns / time;
    }
  }

  private static double int8(double seconds) {
    if (!ProductChoice.ofThisMachine().isFast()) {
      return Double.NaN;
    }
    TorchKernels kernels = TorchKernels.on(Device.cpu());
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray x = manager.ones(new Shape(ROWS, INNER), DataType.INT8);
      NDArray w = manager.ones(new Shape(TILES * TILE_COLUMNS, INNER), DataType.INT8);
      double time =
          best(seconds, () -> Workers.forRanges(TILES, 1, (t, end) -> tile(kernels, x, w, t)));
      return 2.0 * ROWS * INNER * TILES * TILE_COLUMNS / time;
    }
  }

  private static void tile(TorchKernels kernels, NDArray x, NDArray w, int tile) {
    ByteBuffer products = TileBuffers.ofThread().products().clear();
    try (NDManager scope = x.getManager().newSubManager()) {
      NDArray columns = w.get(tile * TILE_COLUMNS + ":" + (tile + 1) * TILE_COLUMNS);
      columns.attach(scope);
      NDArray out = scope.create(products, new Shape(ROWS, TILE_COLUMNS), DataType.INT32);
      kernels.int8Product(x, columns, out, scope);
    }
  }

  private static double readBandwidth(double seconds) {
    long quarter = Runtime.getRuntime().maxMemory() / 4 / Long.BYTES;
    long[] values = new long[(int) Math.min(MAX_READ_LONGS, quarter)];
    LongAdder sum = new LongAdder();
    double time =
        best(
            seconds,
            () ->
                Workers.forRanges(
                    values.length, READ_GRAIN, (begin, end) -> sum.add(sum(values, begin, end))));
    if (sum.sum() != 0) {
      throw new IllegalStateException("the sum of zeros must be 0, got " + sum.sum());
    }
    return values.length * (double) Long.BYTES / time;
  }

  /** Four sums side by side, so that the loop waits for memory and not for an addition. */
  private static long sum(long[] values, int begin, int end) {
    long a = 0;
    long b = 0;
    long c = 0;
    long d = 0;
    int i = begin;
    for (; i + 3 < end; i += 4) {
      a += values[i];
      b += values[i + 1];
      c += values[i + 2];
      d += values[i + 3];
    }
    for (; i < end; i++) {
      a += values[i];
    }
    return a + b + c + d;
  }
}
