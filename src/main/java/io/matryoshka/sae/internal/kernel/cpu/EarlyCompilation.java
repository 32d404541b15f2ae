package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Has the JVM compile the loops of {@link DirectEncoder} before they are needed. A token of a small
 * SAE takes 20 µs in compiled loops and 400 µs before, and the compiler begins only after some
 * hundred runs and needs 50 ms: as long as the first encode takes to lay out the weights.
 */
final class DirectLoops {

  /** Runs after which the JVM takes a loop for its second compiler: 600, and some to spare. */
  private static final int RUNS = 1000;

  private static final int LATENTS = 512;
  private static final int D_IN = 256;

  private static final AtomicBoolean STARTED = new AtomicBoolean();

  private DirectLoops() {}

  /** Starts once in the life of the JVM, on a worker, and returns at once. */
  static void compile() {
    if (!STARTED.getAndSet(true)) {
      Workers.start(DirectLoops::run);
    }
  }

  private static void run() {
    float[] column = new float[LATENTS];
    float[] bounds = new float[LATENTS];
    int[] found = new int[LATENTS];
    float[] row = new float[D_IN];
    float[][] stripes = StripedVector.zeros(D_IN);
    float[] lanes = new float[StripedVector.length(D_IN)];
    for (int i = 0; i < RUNS; i++) {
      DirectProduct.add(1, column, 1, column, 1, column, 1, column, bounds);
      Float32Screen.fill(bounds, column, column, 0, column, column);
      Arrays.fill(bounds, -1f);
      bounds[i % LATENTS] = 1; // What is never met the compiler would leave out.
      DirectEncoder.notNegative(bounds, found);
      DirectEncoder.subtract(row, row);
      StripedVector.sumOfSquares(stripes, lanes);
      StripedVector.dot(stripes, stripes, lanes);
      CpuDecoder.add(1, row, row);
    }
  }
}
