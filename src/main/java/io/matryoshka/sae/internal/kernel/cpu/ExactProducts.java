package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.Arrays;

/**
 * Float32 activations of single (row, latent) pairs, 0 where the latent is not active. The order of
 * summation is that of {@link StripedVector#dot}: it depends on {@code d_in} alone, and neither on
 * the processor, the batch, the number of threads nor on how the pair was screened.
 */
final class ExactProducts {

  private final EncoderRows encoder;
  private final ActivationTest test;

  ExactProducts(EncoderRows encoder, ActivationTest test) {
    this.encoder = encoder;
    this.test = test;
  }

  /**
   * Computes the activations of all candidates of a block that are not known.
   *
   * @param x the activations
   * @param candidates one list per row
   * @return activations of all candidates, row after row
   */
  float[] compute(ActivationRows x, Candidates[] candidates) {
    Pairs pairs = Pairs.of(candidates);
    float[] values = knownValues(candidates);
    int even = pairs.latents.length / (Tuning.TASKS_PER_WORKER * Workers.count());
    int worthwhile = Math.max(1, Tuning.MIN_PAIR_WORK / encoder.dIn);
    Workers.forRanges(
        pairs.latents.length,
        Math.max(worthwhile, Math.min(Tuning.MAX_PAIRS, even)),
        (begin, end) -> compute(x, pairs, begin, end, values));
    return values;
  }

  private static float[] knownValues(Candidates[] candidates) {
    float[] values = new float[Arrays.stream(candidates).mapToInt(c -> c.size).sum()];
    int slot = 0;
    for (Candidates row : candidates) {
      for (int c = 0; c < row.size; c++) {
        values[slot++] = row.value(c);
      }
    }
    return values;
  }

  private void compute(ActivationRows x, Pairs pairs, int begin, int end, float[] values) {
    float[][] row = StripedVector.zeros(encoder.dIn);
    float[] lanes = new float[StripedVector.length(encoder.dIn)];
    int loaded = -1;
    for (int p = begin; p < end; p++) {
      int latent = pairs.latents[p];
      if (latent != loaded) {
        StripedVector.fill(row, encoder.floats(latent), encoder.position(latent), encoder.dIn);
        loaded = latent;
      }
      float dot = StripedVector.dot(x.row(pairs.rows[p]), row, lanes);
      values[pairs.slots[p]] = test.activation(dot, latent);
    }
  }

  /**
   * All (row, latent) pairs to compute, latent after latent, so that a row of the encoder is read
   * once for all its activations.
   *
   * @param latents latent of each pair, rising
   * @param rows row of each pair
   * @param slots where the value of each pair goes
   */
  private record Pairs(int[] latents, int[] rows, int[] slots) {

    static Pairs of(Candidates[] candidates) {
      int total = Arrays.stream(candidates).mapToInt(Candidates::open).sum();
      Pairs pairs = new Pairs(new int[total], new int[total], new int[total]);
      if (total == 0) {
        return pairs;
      }
      int[] next = candidates.length > 1 ? startOfEachLatent(candidates) : new int[0];
      int slot = 0;
      int done = 0;
      for (int row = 0; row < candidates.length; row++) {
        for (int c = 0; c < candidates[row].size; c++, slot++) {
          if (candidates[row].isOpen(c)) {
            int latent = candidates[row].latents[c];
            int position = candidates.length > 1 ? next[latent]++ : done++;
            pairs.latents[position] = latent;
            pairs.rows[position] = row;
            pairs.slots[position] = slot;
          }
        }
      }
      return pairs;
    }

    private static int[] startOfEachLatent(Candidates[] candidates) {
      int width = 0;
      for (Candidates row : candidates) {
        width = row.size == 0 ? width : Math.max(width, row.latents[row.size - 1] + 1);
      }
      int[] starts = new int[width + 1];
      for (Candidates row : candidates) {
        for (int c = 0; c < row.size; c++) {
          if (row.isOpen(c)) {
            starts[row.latents[c] + 1]++;
          }
        }
      }
      for (int latent = 0; latent < width; latent++) {
        starts[latent + 1] += starts[latent];
      }
      return starts;
    }
  }
}
