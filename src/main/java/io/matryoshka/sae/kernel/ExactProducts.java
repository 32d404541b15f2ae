package io.matryoshka.sae.kernel;

import java.util.Arrays;

/**
 * Float32 pre-activations of single (row, latent) pairs: {@code (x . w + b) * scale}, with one
 * fixed order of summation. This is the only place where the fast engine computes a value, so a
 * value does not depend on the batch, the block, the number of threads or how the pair was
 * screened.
 */
final class ExactProducts {

  /** Latents that one task handles. */
  private static final int TASK_LATENTS = 64;

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
   * @param x {@code [rows]} activations, see {@link Stripes}
   * @param candidates one list per row
   * @return values of all candidates, row after row
   */
  float[] compute(float[][][] x, Candidates[] candidates) {
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
    Workers.forRanges(
        starts.length - 1,
        TASK_LATENTS,
        (begin, end) -> computeLatents(begin, end, starts, rowOf, slotOf, x, values));
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
      int begin, int end, int[] starts, int[] rowOf, int[] slotOf, float[][][] x, float[] values) {
    if (starts[begin] == starts[end]) {
      return;
    }
    float[][] w = Stripes.zeros(encoder.dIn);
    float[] lanes = new float[Stripes.length(encoder.dIn)];
    for (int latent = begin; latent < end; latent++) {
      if (starts[latent] == starts[latent + 1]) {
        continue;
      }
      encoder.copyRow(latent, w);
      for (int p = starts[latent]; p < starts[latent + 1]; p++) {
        float dot = Stripes.dot(x[rowOf[p]], w, lanes);
        values[slotOf[p]] = (dot + bias[latent]) * scale[latent];
      }
    }
  }
}
