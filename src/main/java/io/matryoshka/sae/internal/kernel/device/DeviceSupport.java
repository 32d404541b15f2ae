package io.matryoshka.sae.internal.kernel.device;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.config.LatentParameters;
import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.CsrBuilder;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import io.matryoshka.sae.internal.kernel.Selector;
import io.matryoshka.sae.internal.kernel.torch.Int8Support;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells whether a device computes what {@link DeviceEngine} builds on. It is tried once per device
 * and JVM: int8 products must be exact, float32 products must keep all bits of their factors, and a
 * small problem of integers, whose float32 arithmetic has no rounding, must come out as Java
 * computes it.
 */
final class DeviceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(DeviceSupport.class);

  private static final Map<Device, Boolean> SUPPORTED = new ConcurrentHashMap<>();

  /** Within what CUDA takes: more than 16 rows, inner sizes that are multiples of 8. */
  private static final int[] ROW_COUNTS = {32, 64};

  private static final int[] INNER_SIZES = {8, 64, 392};

  private static final int D_IN = 20;
  private static final int D_SAE = 301;
  private static final int ROWS = 37;
  private static final int MAX_INTEGER = 9;

  /** Exceeded by a few in a thousand pre-activations of the trial. */
  private static final float LIMIT = 340f;

  private static final long INT8_ALWAYS = 0;
  private static final long INT8_NEVER = Long.MAX_VALUE;

  /** Large enough for the tensor cores that would take the product. */
  private static final int PRODUCT_SIZE = 256;

  /** Has 24 bits, of which TF32 keeps 11. */
  private static final float ALL_BITS = (1 << 24) - 1;

  /** libtorch rewrites a method for the device after its first runs; the trial outlasts that. */
  private static final int ROUNDS = 3;

  private DeviceSupport() {}

  static boolean isSupported(Device device) {
    return SUPPORTED.computeIfAbsent(device, DeviceSupport::check);
  }

  private static boolean check(Device device) {
    try (NDManager scope = NDManager.newBaseManager(device)) {
      TorchKernels kernels = TorchKernels.on(device);
      if (!keepsAllBits(kernels, scope)) {
        LOG.warn("float32 products on {} are rounded to TF32; the plain engine is used", device);
        return false;
      }
      if (Int8Support.areExact(kernels, device, ROW_COUNTS, INNER_SIZES)
          && trialIsRight(scope, INT8_ALWAYS)
          && trialIsRight(scope, INT8_NEVER)) {
        return true;
      }
      LOG.warn(
          "{} computes other results than float32 arithmetic; the plain engine is used", device);
    } catch (RuntimeException e) {
      warn(device, e);
    }
    return false;
  }

  static void warn(Device device, RuntimeException cause) {
    String message = String.valueOf(cause.getMessage());
    String reason =
        message
            .lines()
            .filter(line -> line.startsWith("RuntimeError")) // After a long TorchScript trace.
            .findFirst()
            .or(() -> message.lines().findFirst())
            .orElse("no message");
    LOG.warn("{} does not run the fast engine, the plain one is used: {}", device, reason);
    LOG.debug("what failed on {}", device, cause);
  }

  /** A setting of libtorch lets float32 products read 11 bits of each factor. */
  private static boolean keepsAllBits(TorchKernels kernels, NDManager scope) {
    NDArray x = scope.full(new Shape(PRODUCT_SIZE, PRODUCT_SIZE), ALL_BITS);
    NDArray identity = scope.eye(PRODUCT_SIZE);
    try (NDArray product = kernels.product(x, identity)) {
      for (float value : product.toFloatArray()) {
        if (value != ALL_BITS) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean trialIsRight(NDManager scope, long int8From) {
    Random random = new Random(3);
    float[] weights = integers(D_SAE * D_IN, random);
    float[] x = integers(ROWS * D_IN, random);
    double[] threshold = new double[D_SAE];
    double[] ones = new double[D_SAE];
    Arrays.fill(threshold, LIMIT);
    Arrays.fill(ones, 1);
    LatentParameters parameters = LatentParameters.of(new double[D_SAE], ones, threshold);
    NDArray input = scope.create(x, new Shape(ROWS, D_IN));
    DeviceEngine engine =
        new DeviceEngine(
            scope.create(weights, new Shape(D_SAE, D_IN)), parameters, int8From, scope);
    for (SelectionRule.Kind kind : SelectionRule.Kind.values()) {
      SelectionRule rule =
          kind == SelectionRule.Kind.THRESHOLD
              ? SelectionRule.THRESHOLD
              : new SelectionRule(kind, 2);
      Csr expected = expected(x, weights, ActivationTest.of(parameters, rule), rule);
      for (int round = 0; round < ROUNDS; round++) {
        if (!same(engine.encode(input, D_SAE, rule), expected)) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean same(Csr a, Csr b) {
    return Arrays.equals(a.rowOffsets(), b.rowOffsets())
        && Arrays.equals(a.latents(), b.latents())
        && Arrays.equals(a.values(), b.values());
  }

  private static Csr expected(float[] x, float[] weights, ActivationTest test, SelectionRule rule) {
    CsrBuilder all = new CsrBuilder(ROWS);
    for (int row = 0; row < ROWS; row++) {
      for (int latent = 0; latent < D_SAE; latent++) {
        float sum = 0;
        for (int d = 0; d < D_IN; d++) {
          sum += x[row * D_IN + d] * weights[latent * D_IN + d];
        }
        float activation = test.activation(sum, latent);
        if (activation != 0) {
          all.add(latent, activation);
        }
      }
      all.endRow();
    }
    return Selector.select(all.build(), rule);
  }

  private static float[] integers(int count, Random random) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = random.nextInt(2 * MAX_INTEGER + 1) - MAX_INTEGER;
    }
    return numbers;
  }
}
