package io.matryoshka.sae.internal.kernel.torch;

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
 * Tells whether libtorch's int8 product is exact on this processor. Some instructions that such
 * products use saturate between steps, which would void the bound. So it is tried once per JVM.
 */
public final class Int8Support {

  private static final Logger LOG = LoggerFactory.getLogger(Int8Support.class);

  private static final Map<TorchKernels, Int8Support> CHECKED = new ConcurrentHashMap<>();

  /** libtorch 2.7.1 gives wrong products for an inner size of 1. */
  private static final int MIN_INNER_SIZE = 2;

  private static final int[] ROW_COUNTS = {1, 5, 64};
  private static final int[] INNER_SIZES = {2, 64, 385};
  private static final int LATENTS = 48;

  private final boolean exact;

  private Int8Support(TorchKernels kernels) {
    exact = areExact(kernels, Device.cpu(), ROW_COUNTS, INNER_SIZES);
    if (!exact) {
      LOG.warn("int8 products are not exact on this processor; screening uses float32");
    }
  }

  /**
   * Returns what was found on the CPU, trying it on the first call.
   *
   * @param kernels those of the CPU
   * @return the findings
   */
  public static Int8Support of(TorchKernels kernels) {
    return CHECKED.computeIfAbsent(kernels, Int8Support::new);
  }

  /**
   * Tells whether products are exact.
   *
   * @return false where an instruction saturates
   */
  public boolean isExact() {
    return exact;
  }

  /**
   * Tells whether products of a size are exact.
   *
   * @param innerSize length of the dot products
   * @return false where an instruction saturates, and for lengths that libtorch gets wrong
   */
  public boolean isExact(int innerSize) {
    return exact && innerSize >= MIN_INNER_SIZE;
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
