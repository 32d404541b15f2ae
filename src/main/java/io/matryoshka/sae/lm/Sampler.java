package io.matryoshka.sae.lm;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Picks the next token by its logits. */
final class Sampler {

  private final GenerateOptions options;
  private final SplittableRandom random;

  Sampler(GenerateOptions options) {
    this.options = options;
    this.random = new SplittableRandom(options.seed());
  }

  int pick(float[] logits) {
    int best = 0;
    for (int i = 0; i < logits.length; i++) {
      if (Float.isNaN(logits[i])) {
        throw new ArithmeticException(
            "the model gave a logit that is not a number; an intervention may have put one in");
      }
      best = logits[i] > logits[best] ? i : best;
    }
    return options.temperature() == 0 ? best : draw(logits, logits[best]);
  }

  private int draw(float[] logits, float top) {
    int[] order = candidates(logits);
    double[] weights = new double[order.length];
    double total = 0;
    for (int i = 0; i < order.length; i++) {
      weights[i] = Math.exp((logits[order[i]] - top) / options.temperature());
      total += weights[i];
    }
    int count = order.length;
    if (options.topP() < 1) {
      double wanted = options.topP() * total;
      double sum = 0;
      count = 0;
      while (count < order.length && sum < wanted) {
        sum += weights[count++];
      }
      total = sum;
    }
    double point = random.nextDouble() * total;
    for (int i = 0; i < count; i++) {
      point -= weights[i];
      if (point < 0) {
        return order[i];
      }
    }
    return order[count - 1];
  }

  /** The ids to draw from, the most likely first if that matters. */
  private int[] candidates(float[] logits) {
    IntStream all = IntStream.range(0, logits.length);
    if (options.topK() == 0 && options.topP() == 1) {
      return all.toArray();
    }
    long[] keys = new long[logits.length];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = (long) ~rising(logits[i]) << Integer.SIZE | i;
    }
    Arrays.sort(keys);
    int count = options.topK() == 0 ? keys.length : Math.min(options.topK(), keys.length);
    return Arrays.stream(keys, 0, count).mapToInt(key -> (int) key).toArray();
  }

  /** A whole number that rises with a number. */
  private static int rising(float number) {
    int bits = Float.floatToIntBits(number);
    return bits < 0 ? bits ^ Integer.MAX_VALUE : bits;
  }
}
