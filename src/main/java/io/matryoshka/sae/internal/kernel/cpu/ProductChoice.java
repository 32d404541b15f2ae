package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.Device;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.torch.Int8Support;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether int8 products screen on this processor. Its instructions say so; where they leave it
 * open, products of either type are timed in turns. Either answer is checked by further trials
 * during the first calls and corrected where it was wrong, such as where a setting keeps libtorch
 * from the instructions. Latents and their activations are the same with either product.
 */
final class ProductChoice {

  private static final Logger LOG = LoggerFactory.getLogger(ProductChoice.class);

  /** The blocks before which products are timed again; the intervals grow, the trials end. */
  private static final int[] CHECKED_BLOCKS = {8, 64, 512};

  /** A trial that shows less than this refutes instructions for int8. */
  private static final double REFUTES_FAST = 1;

  /** A trial that shows more than this refutes the want of such instructions. */
  private static final double REFUTES_SLOW = 2 * Tuning.INT8_WORTHWHILE;

  private static final class OfThisMachine {
    static final ProductChoice INSTANCE = of(TorchKernels.on(Device.cpu()));

    private static ProductChoice of(TorchKernels kernels) {
      Int8Support support = Int8Support.of(kernels);
      return new ProductChoice(
          ProcessorFeatures.here(),
          support,
          () -> Workers.call(() -> ProductTrial.ratios(kernels)));
    }
  }

  private final ProcessorFeatures features;
  private final Int8Support support;
  private final Supplier<double[]> trial;
  private final AtomicInteger blocks = new AtomicInteger();
  private double[] ratios = {};

  /** The median of all turns so far; NaN before there are any. */
  private volatile double ratio = Double.NaN;

  /**
   * Makes a choice that has yet to be tried.
   *
   * @param features what the instructions say
   * @param support whether int8 products are exact
   * @param trial gives how many times longer float32 products take, by turn
   */
  ProductChoice(ProcessorFeatures features, Int8Support support, Supplier<double[]> trial) {
    this.features = features;
    this.support = support;
    this.trial = trial;
  }

  /** Returns the choice for the processor of this program. */
  static ProductChoice ofThisMachine() {
    return OfThisMachine.INSTANCE;
  }

  /** Tells whether int8 products are exact where {@code d_in} is so large. */
  boolean isExact(int dIn) {
    return support.isExact(dIn);
  }

  /** Counts a block that is to be screened, and checks the choice now and then. */
  void countBlock() {
    int block = blocks.get() > last() ? last() + 1 : blocks.incrementAndGet();
    if (Arrays.binarySearch(CHECKED_BLOCKS, block) >= 0 && support.isExact()) {
      boolean before = isFast();
      addTrial();
      if (isFast() != before) {
        LOG.info("the choice of the screening product was corrected: {}", description());
      }
    }
  }

  private static int last() {
    return CHECKED_BLOCKS[CHECKED_BLOCKS.length - 1];
  }

  /** Tells whether int8 products are exact and enough faster than those of floats. */
  boolean isFast() {
    if (!support.isExact()) {
      return false;
    }
    if (features.int8() == ProcessorFeatures.Int8.UNKNOWN && !isTimed()) {
      addTrial();
    }
    return switch (features.int8()) {
      case FAST -> !isTimed() || ratio >= REFUTES_FAST;
      case SLOW -> isTimed() && ratio > REFUTES_SLOW;
      case UNKNOWN -> ratio > Tuning.INT8_WORTHWHILE;
    };
  }

  /** Says which product screens, and why. */
  String description() {
    String product = isFast() ? "int8" : "float32";
    if (!support.isExact()) {
      return product + " (int8 products are not exact on this processor)";
    }
    return isTimed()
        ? String.format(
            Locale.ROOT,
            "%s (%s; an int8 product takes 1/%.1f of the time of a float32 product)",
            product,
            features.reason(),
            ratio)
        : "%s (%s)".formatted(product, features.reason());
  }

  private boolean isTimed() {
    return !Double.isNaN(ratio);
  }

  private void addTrial() {
    add(trial.get());
  }

  private synchronized void add(double[] more) {
    int size = ratios.length;
    ratios = Arrays.copyOf(ratios, size + more.length);
    System.arraycopy(more, 0, ratios, size, more.length);
    Arrays.sort(ratios);
    ratio = ratios[ratios.length / 2];
  }
}
