package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;

/**
 * Times int8 and float32 products of the size of a tile in turns, so that what else the machine
 * does meets both alike.
 */
final class ProductTrial {

  /** Number by number such a product takes 10 ms, with instructions for int8 some 50 µs. */
  private static final int ROWS = 64;

  private static final int INNER = 2048;
  private static final int LATENTS = 128;

  /** Turns of one trial. */
  private static final int TURNS = 7;

  /** Calls of a turn, of which the fastest counts. */
  private static final int CALLS = 3;

  private ProductTrial() {}

  /**
   * Runs on the calling thread, which should be a worker.
   *
   * @param kernels those of the CPU
   * @return how many times longer the float32 product takes, by turn
   */
  static double[] ratios(TorchKernels kernels) {
    try (NDManager scope = NDManager.newBaseManager(Device.cpu())) {
      Shape x = new Shape(ROWS, INNER);
      Shape w = new Shape(LATENTS, INNER);
      Shape out = new Shape(ROWS, LATENTS);
      NDArray xCodes = scope.ones(x, DataType.INT8);
      NDArray wCodes = scope.ones(w, DataType.INT8);
      NDArray codeSums = scope.zeros(out, DataType.INT32);
      NDArray xFloats = scope.ones(x);
      NDArray wFloats = scope.ones(w);
      NDArray floatSums = scope.zeros(out);
      double[] ratios = new double[TURNS];
      for (int turn = 0; turn < TURNS; turn++) {
        double float32 = nanos(() -> kernels.product(xFloats, wFloats, floatSums, scope));
        double int8 = nanos(() -> kernels.int8Product(xCodes, wCodes, codeSums, scope));
        ratios[turn] = float32 / int8;
      }
      return ratios;
    }
  }

  private static double nanos(Runnable product) {
    long fastest = Long.MAX_VALUE;
    for (int call = 0; call < CALLS; call++) {
      long begin = System.nanoTime();
      product.run();
      fastest = Math.min(fastest, System.nanoTime() - begin);
    }
    return fastest;
  }
}
