package io.matryoshka.sae.kernel;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Float32 pre-activations of single (row, latent) pairs: {@code (x . w + b) * scale}, with one
 * fixed order of summation. This is the only place where the fast engine computes a value, so a
 * value does not depend on the batch, the block, the number of threads or how the pair was
 * screened.
 */
final class ExactProducts {

  /** Latents that one task handles. */
  private static final int TASK_LATENTS = 64;

  /** Below this many multiplications the work stays on the calling thread. */
  private static final long PARALLEL_WORK = 1 << 17;

  private final EncoderRows encoder;
  private final float[] bias;
  private final float[] scale;

  ExactProducts(EncoderRows encoder, float[] bias, float[] scale) {
    this.encoder = encoder;
    this.bias = bias;
    this.scale = scale;
  }

  /**
   * Computes all candidates of a block.
   *
   * @param x {@code [rows, d_in]} activations
   * @param candidates one list per row
   * @return values of all candidates, row after row
   */
  float[] compute(float[] x, Candidates[] candidates) {
    int total = Arrays.stream(candidates).mapToInt(c -> c.size).sum();
    float[] values = new float[total];
    int[] starts = startOfEachLatent(candidates);
    int[] rowOf = new int[total];
    int[] slotOf = new int[total];
    int slot = 0;
    int[] next = starts.clone();
    for (int row = 0; row < candidates.length; row++) {
      for (int c = 0; c < candidates[row].size; c++) {
        int position = next[candidates[row].latents[c]]++;
        rowOf[position] = row;
        slotOf[position] = slot++;
      }
    }
    int tasks = (starts.length - 2) / TASK_LATENTS + 1;
    IntStream stream = IntStream.range(0, tasks);
    if ((long) total * encoder.dIn >= PARALLEL_WORK) {
      stream = stream.parallel();
    }
    stream.forEach(
        task -> {
          int begin = task * TASK_LATENTS;
          int end = Math.min(starts.length - 1, begin + TASK_LATENTS);
          computeLatents(begin, end, starts, rowOf, slotOf, x, values);
        });
    return values;
  }

  private int[] startOfEachLatent(Candidates[] candidates) {
    int[] starts = new int[encoder.dSae + 1];
    for (Candidates row : candidates) {
      for (int c = 0; c < row.size; c++) {
        starts[row.latents[c] + 1]++;
      }
    }
    for (int latent = 0; latent < encoder.dSae; latent++) {
      starts[latent + 1] += starts[latent];
    }
    return starts;
  }

  private void computeLatents(
      int begin, int end, int[] starts, int[] rowOf, int[] slotOf, float[] x, float[] values) {
    if (starts[begin] == starts[end]) {
      return;
    }
    float[] w = new float[encoder.dIn];
    for (int latent = begin; latent < end; latent++) {
      if (starts[latent] == starts[latent + 1]) {
        continue;
      }
      encoder.copyRow(latent, w);
      for (int p = starts[latent]; p < starts[latent + 1]; p++) {
        float dot = dot(x, rowOf[p] * encoder.dIn, w);
        values[slotOf[p]] = (dot + bias[latent]) * scale[latent];
      }
    }
  }

  /** Eight interleaved partial sums, added pairwise. */
  static float dot(float[] x, int base, float[] w) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    float e = 0;
    float f = 0;
    float g = 0;
    float h = 0;
    int n = w.length;
    int i = 0;
    for (; i <= n - 8; i += 8) {
      a = Math.fma(x[base + i], w[i], a);
      b = Math.fma(x[base + i + 1], w[i + 1], b);
      c = Math.fma(x[base + i + 2], w[i + 2], c);
      d = Math.fma(x[base + i + 3], w[i + 3], d);
      e = Math.fma(x[base + i + 4], w[i + 4], e);
      f = Math.fma(x[base + i + 5], w[i + 5], f);
      g = Math.fma(x[base + i + 6], w[i + 6], g);
      h = Math.fma(x[base + i + 7], w[i + 7], h);
    }
    for (; i < n; i++) {
      a = Math.fma(x[base + i], w[i], a);
    }
    return ((a + b) + (c + d)) + ((e + f) + (g + h));
  }
}
