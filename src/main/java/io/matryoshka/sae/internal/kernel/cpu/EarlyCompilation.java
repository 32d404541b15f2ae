package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Has the JVM compile the loops of small SAEs before they are needed. A token of such an SAE takes
 * 20 µs in compiled loops and 400 µs before, and the compiler begins only after some hundred runs
 * and needs 50 ms: as long as the first encode takes to lay out the weights.
 */
final class EarlyCompilation {

  /** Runs after which the JVM takes a loop for its second compiler: 600, and some to spare. */
  private static final int RUNS = 1000;

  private static final int LATENTS = 512;
  private static final int D_IN = 256;
  private static final int ROWS = 16;

  private static final AtomicBoolean STARTED = new AtomicBoolean();

  private EarlyCompilation() {}

  /** Starts once in the life of the JVM, on a worker, and returns at once. */
  static void start() {
    if (!STARTED.getAndSet(true)) {
      Workers.start(
          () -> {
            runDirectLoops();
            runBlockLoops();
          });
    }
  }

  /** The loops of {@link DirectEncoder} and of decoding on the thread of the caller. */
  private static void runDirectLoops() {
    float[] latents = new float[LATENTS];
    float[] bounds = new float[LATENTS];
    int[] found = new int[LATENTS];
    float[] row = new float[D_IN];
    float[][] stripes = StripedVector.zeros(D_IN);
    float[] lanes = new float[StripedVector.length(D_IN)];
    for (int i = 0; i < RUNS; i++) {
      DirectProduct.add(1, latents, 1, latents, 1, latents, 1, latents, bounds);
      Float32Screen.fill(bounds, latents, latents, 0, latents, latents);
      Arrays.fill(bounds, -1f);
      bounds[i % LATENTS] = 1; // What is never met the compiler would leave out.
      DirectEncoder.notNegative(bounds, found);
      DirectEncoder.subtract(row, row);
      StripedVector.sumOfSquares(stripes, lanes);
      StripedVector.dot(stripes, stripes, lanes);
      CpuDecoder.add(1, row, row);
    }
  }

  /** The loops of a block that a worker screens with int8 products. */
  private static void runBlockLoops() {
    int[] products = new int[LATENTS];
    float[] terms = new float[LATENTS];
    float[] bounds = new float[LATENTS];
    IntegerBounds test = new IntegerBounds(D_IN, LATENTS);
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      ActivationRows rows = ActivationRows.of(manager.ones(new Shape(ROWS, D_IN)), null, manager);
      for (int i = 0; i < RUNS; i++) {
        if (i % ROWS == 0) {
          try (NDManager scope = manager.newSubManager()) {
            QuantisedRows.of(rows, scope);
          }
        }
        TileBounds.start(1, terms, 1, terms, 1, terms, bounds);
        TileBounds.add(1, terms, bounds);
        TileBounds.add(1, terms, 1, terms, bounds);
        Arrays.fill(products, -1);
        products[i % LATENTS] = 1; // As above.
        test.scan(products, bounds, 0, LATENTS, new TileCandidates(1, Candidates.Known.NOTHING));
      }
    }
  }
}
