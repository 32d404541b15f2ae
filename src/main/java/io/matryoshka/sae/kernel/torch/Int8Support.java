package io.matryoshka.sae.kernel.torch;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells whether libtorch's int8 product is exact on this processor, and whether it is fast. Some
 * instructions that such products use saturate between steps, which would void the bound; where
 * there are none, libtorch multiplies number by number. So it is tried once per JVM.
 */
public final class Int8Support {

  private static final Logger LOG = LoggerFactory.getLogger(Int8Support.class);

  private static final Map<TorchKernels, Int8Support> CHECKED = new ConcurrentHashMap<>();

  /** libtorch 2.7.1 gives wrong products for an inner size of 1. */
  private static final int MIN_INNER_SIZE = 2;

  private static final int[] ROW_COUNTS = {1, 5, 64};
  private static final int[] INNER_SIZES = {2, 64, 385};
  private static final int LATENTS = 48;

  /** Sizes of the products that are timed. */
  private static final int TIMED_ROWS = 64;

  private static final int TIMED_INNER_SIZE = 1024;
  private static final int TIMED_LATENTS = 64;
  private static final int TIMED_TRIES = 6;

  /** Int8 products that are faster by less do not make up for the work around them. */
  private static final double WORTHWHILE = 1.5;

  private final boolean exact;
  private final boolean fast;

  private Int8Support(TorchKernels kernels) {
    exact = areExact(kernels, Device.cpu(), ROW_COUNTS, INNER_SIZES);
    fast = exact && Workers.call(() -> isFast(kernels));
    if (!exact) {
      LOG.warn("int8 products are not exact on this processor; screening uses float32");
    } else if (!fast) {
      LOG.info("int8 products are slow on this processor; screening uses float32");
    }
  }

  public static Int8Support of(TorchKernels kernels) {
    return CHECKED.computeIfAbsent(kernels, Int8Support::new);
  }

  public boolean isExact(int innerSize) {
    return exact && innerSize >= MIN_INNER_SIZE;
  }

  /** Tells whether int8 products are exact and enough faster than those of floats. */
  public boolean isFast() {
    return fast;
  }

  /** Times products of either type on the worker that asks. */
  private static boolean isFast(TorchKernels kernels) {
    try (NDManager scope = NDManager.newBaseManager(Device.cpu())) {
      Shape x = new Shape(TIMED_ROWS, TIMED_INNER_SIZE);
      Shape w = new Shape(TIMED_LATENTS, TIMED_INNER_SIZE);
      Shape out = new Shape(TIMED_ROWS, TIMED_LATENTS);
      NDArray xCodes = scope.ones(x, DataType.INT8);
      NDArray wCodes = scope.ones(w, DataType.INT8);
      NDArray sums = scope.zeros(out, DataType.INT32);
      NDArray xFloats = scope.ones(x);
      NDArray wFloats = scope.ones(w);
      NDArray floatSums = scope.zeros(out);
      long int8 = fastest(() -> kernels.int8Product(xCodes, wCodes, sums, scope));
      long float32 = fastest(() -> kernels.product(xFloats, wFloats, floatSums, scope));
      return int8 * WORTHWHILE < float32;
    }
  }

  /** Nanoseconds of the fastest try. */
  private static long fastest(Runnable task) {
    long fastest = Long.MAX_VALUE;
    for (int i = 0; i < TIMED_TRIES; i++) {
      long begin = System.nanoTime();
      task.run();
      fastest = Math.min(fastest, System.nanoTime() - begin);
    }
    return fastest;
  }

  /** Tells whether products of all these sizes are exact on a device. */
  public static boolean areExact(
      TorchKernels kernels, Device device, int[] rowCounts, int[] innerSizes) {
    for (int rows : rowCounts) {
      for (int inner : innerSizes) {
        if (!isExact(kernels, device, rows, inner)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Multiplies matrices whose products are large on a device, and compares them with Java's. */
  private static boolean isExact(TorchKernels kernels, Device device, int rows, int inner) {
    SplittableRandom random = new SplittableRandom(rows * 31L + inner);
    byte[] x = extremes(rows * inner, random);
    byte[] w = extremes(LATENTS * inner, random);
    try (NDManager scope = NDManager.newBaseManager(device)) {
      NDArray out = scope.zeros(new Shape(rows, LATENTS), DataType.INT32);
      kernels.int8Product(
          array(x, rows, inner, scope), array(w, LATENTS, inner, scope), out, scope);
      int[] products = out.toIntArray();
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < LATENTS; j++) {
          int sum = 0;
          for (int d = 0; d < inner; d++) {
            sum += x[i * inner + d] * w[j * inner + d];
          }
          if (sum != products[i * LATENTS + j]) {
            return false;
          }
        }
      }
    }
    return true;
  }

  /** Mostly the largest codes, where saturation would show. */
  private static byte[] extremes(int count, SplittableRandom random) {
    byte[] codes = new byte[count];
    for (int i = 0; i < count; i++) {
      codes[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt(-127, 128) : 127);
    }
    return codes;
  }

  private static NDArray array(byte[] codes, int rows, int columns, NDManager scope) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(codes.length).put(codes).rewind();
    return scope.create(bytes, new Shape(rows, columns), DataType.INT8);
  }
}
