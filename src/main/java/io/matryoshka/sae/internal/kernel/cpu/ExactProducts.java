package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.Arrays;

/**
 * Float32 activations of single (row, latent) pairs, 0 where the latent is not active. The order of
 * summation depends on {@code d_in} and on where the latent's row lies in its segment, but not on
 * the batch, the block, the number of threads or how the pair was screened; see {@link
 * AlignedRows}.
 */
final class ExactProducts {

  private final EncoderRows encoder;
  private final ActivationTest test;
  private final TorchKernels kernels = TorchKernels.on(Device.cpu());

  ExactProducts(EncoderRows encoder, ActivationTest test) {
    this.encoder = encoder;
    this.test = test;
  }

  /**
   * Computes the activations of all candidates of a block that are not known.
   *
   * @param x the activations
   * @param candidates one list per row
   * @param scope owns temporaries
   * @return activations of all candidates, row after row
   */
  float[] compute(AlignedRows x, Candidates[] candidates, NDManager scope) {
    Pairs pairs = Pairs.of(candidates);
    float[] values = knownValues(candidates);
    int even = pairs.latents.length / (Tuning.TASKS_PER_WORKER * Workers.count());
    Workers.forRanges(
        pairs.latents.length,
        Math.max(Tuning.MIN_PAIRS, Math.min(Tuning.MAX_PAIRS, even)),
        (begin, end) -> {
          for (int first = begin; first < end; ) {
            int segment = pairs.latents[first] / encoder.segmentLatents;
            int last = pairs.endBelow((segment + 1) * encoder.segmentLatents, first, end);
            compute(x, pairs, segment, first, last, values, scope);
            first = last;
          }
        });
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

  private void compute(
      AlignedRows x,
      Pairs pairs,
      int segment,
      int begin,
      int end,
      float[] values,
      NDManager scope) {
    int[] inSegment = Arrays.copyOfRange(pairs.latents, begin, end);
    for (int p = 0; p < inSegment.length; p++) {
      inSegment[p] -= segment * encoder.segmentLatents;
    }
    float[] dots;
    try (NDManager taskScope = scope.newSubManager()) {
      NDArray rows = taskScope.create(Arrays.copyOfRange(pairs.rows, begin, end));
      NDArray latents = taskScope.create(inSegment);
      NDArray w = encoder.rowsOf(segment, taskScope);
      dots = kernels.pairProducts(x.array, w, rows, latents, taskScope);
    }
    for (int p = begin; p < end; p++) {
      values[pairs.slots[p]] = test.activation(dots[p - begin], pairs.latents[p]);
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

    /** The first pair in a range whose latent is not below the limit, or the range's end. */
    int endBelow(int limit, int begin, int end) {
      if (latents[end - 1] < limit) {
        return end;
      }
      int last = begin;
      while (latents[last] < limit) {
        last++;
      }
      return last;
    }
  }
}
