package io.matryoshka.sae.internal.spark.ml;

import io.matryoshka.sae.SparseLatents;

/**
 * The active latents of a row as columns have them. Knows nothing of Spark ML, which jobs over
 * files do without.
 *
 * @param latents indices, rising
 * @param values their activations
 */
public record LatentCells(int[] latents, float[] values) {

  /** Copies those of a row. */
  public static LatentCells of(SparseLatents all, int row) {
    int count = all.activeCount(row);
    int[] latents = new int[count];
    float[] values = new float[count];
    int[] next = {0};
    all.forEach(
        row,
        (latent, activation) -> {
          latents[next[0]] = latent;
          values[next[0]++] = activation;
        });
    return new LatentCells(latents, values);
  }
}
