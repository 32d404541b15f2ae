package io.matryoshka.sae.kernel;

import java.util.Arrays;

/**
 * Float32 pre-activations of single (row, latent) pairs: {@code (x . w + b) * scale}, with one
 * fixed order of summation. This is the only place where the fast engine computes a value, so a
 * value does not depend on the batch, the block, the number of threads or how the pair was
 * screened.
 */
final class ExactProducts {

  /** Pairs that one task handles. */
  private static final int TASK_PAIRS = 256;

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
    Pairs pairs = Pairs.of(candidates, encoder.dSae);
    float[] values = new float[pairs.latents.length];
    Workers.forRanges(
        values.length, TASK_PAIRS, (begin, end) -> compute(begin, end, pairs, x, values));
    return values;
  }

  private void compute(int begin, int end, Pairs pairs, float[][][] x, float[] values) {
    float[][] w = Stripes.zeros(encoder.dIn);
    float[] lanes = new float[Stripes.length(encoder.dIn)];
    int copied = -1;
    for (int p = begin; p < end; p++) {
      int latent = pairs.latents[p];
      if (latent != copied) {
        encoder.copyRow(latent, w);
        copied = latent;
      }
      float dot = Stripes.dot(x[pairs.rows[p]], w, lanes);
      values[pairs.slots[p]] = (dot + bias[latent]) * scale[latent];
    }
  }

  /**
   * All (row, latent) pairs, latent after latent, so that a row of the encoder is read once for all
   * its activations.
   *
   * @param latents latent of each pair, rising
   * @param rows row of each pair
   * @param slots where the value of each pair goes
   */
  private record Pairs(int[] latents, int[] rows, int[] slots) {

    static Pairs of(Candidates[] candidates, int dSae) {
      int total = Arrays.stream(candidates).mapToInt(c -> c.size).sum();
      int[] next = candidates.length > 1 ? startOfEachLatent(candidates, dSae) : new int[0];
      Pairs pairs = new Pairs(new int[total], new int[total], new int[total]);
      int slot = 0;
      for (int row = 0; row < candidates.length; row++) {
        for (int c = 0; c < candidates[row].size; c++) {
          int latent = candidates[row].latents[c];
          int position = candidates.length > 1 ? next[latent]++ : slot;
          pairs.latents[position] = latent;
          pairs.rows[position] = row;
          pairs.slots[position] = slot++;
        }
      }
      return pairs;
    }

    private static int[] startOfEachLatent(Candidates[] candidates, int dSae) {
      int[] starts = new int[dSae + 1];
      for (Candidates row : candidates) {
        for (int c = 0; c < row.size; c++) {
          starts[row.latents[c] + 1]++;
        }
      }
      for (int latent = 0; latent < dSae; latent++) {
        starts[latent + 1] += starts[latent];
      }
      return starts;
    }
  }
}
