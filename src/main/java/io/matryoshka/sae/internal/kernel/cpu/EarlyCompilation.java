package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.config.LatentParameters;
import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsBuilder;
import io.matryoshka.sae.internal.kernel.prepared.WeightSource;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Has the JVM compile {@link DirectEncoder} before it is needed, by encoding made-up rows with a
 * made-up encoder. A token of a small SAE takes 20 µs in compiled code and 400 µs before, and the
 * compiler begins only after some hundred runs and needs 50 ms: as long as the first encode takes
 * to lay out the weights.
 */
final class EarlyCompilation {

  /** Runs after which the JVM takes a loop for its second compiler: 600, and some to spare. */
  private static final int RUNS = 1000;

  /** One call in so many has {@link #ROWS} rows, the others have one. */
  private static final int LARGE_CALLS = 10;

  private static final int ROWS = 8;
  private static final int D_IN = 128;
  private static final int D_SAE = 512;

  /** About a tenth of the latents exceeds it. */
  private static final double THRESHOLD = 1.3;

  private static final AtomicBoolean STARTED = new AtomicBoolean();

  private EarlyCompilation() {}

  /** Starts once in the life of the JVM, on a worker, and returns at once. */
  static void start() {
    if (!STARTED.getAndSet(true)) {
      Workers.start(EarlyCompilation::run);
    }
  }

  private static void run() {
    DirectEncoder encoder = encoder();
    FloatBuffer floats =
        ByteBuffer.allocateDirect(ROWS * D_IN * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    floats.put(0, randomNumbers(ROWS * D_IN, 1));
    float[] shift = new float[D_IN];
    float[] sum = new float[D_IN];
    for (int i = 0; i < RUNS; i++) {
      int count = i % LARGE_CALLS == 0 ? ROWS : 1;
      encoder.encode(new DirectEncoder.Rows(floats, count, shift), D_SAE, 0).active().build();
      CpuDecoder.add(1, shift, sum);
    }
  }

  private static DirectEncoder encoder() {
    float[] numbers = randomNumbers(D_IN * D_SAE, 2);
    WeightSource weights =
        (first, target, count) -> System.arraycopy(numbers, (int) first, target, 0, count);
    double[] ones = new double[D_SAE];
    double[] thresholds = new double[D_SAE];
    Arrays.fill(ones, 1);
    Arrays.fill(thresholds, THRESHOLD);
    ActivationTest test =
        ActivationTest.of(
            LatentParameters.of(new double[D_SAE], ones, thresholds), SelectionRule.THRESHOLD);
    try {
      EncoderRows rows = EncoderRowsBuilder.inMemory(weights, D_IN, D_SAE);
      LatentTerms terms = new LatentTerms(rows, weights, test);
      return new DirectEncoder(rows, terms, test, new DirectProduct(weights, D_IN, D_SAE));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Numbers from -0.5 to 0.5, the same in every run. */
  private static float[] randomNumbers(int count, long seed) {
    Random random = new Random(seed);
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = random.nextFloat() - 0.5f;
    }
    return numbers;
  }
}
