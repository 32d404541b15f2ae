package io.matryoshka.sae.kernel;

import java.util.Objects;

/**
 * Active latents of a block of rows in compressed sparse row form. The arrays are not copied: the
 * record hands them on from the engine that made them.
 *
 * @param rowOffsets {@code [n + 1]}, row {@code r} owns the entries {@code rowOffsets[r] ..
 *     rowOffsets[r + 1] - 1}
 * @param latents {@code [nnz]}, latent of each entry, rising within a row
 * @param values {@code [nnz]}, activation of each entry
 */
public record Csr(int[] rowOffsets, int[] latents, float[] values) {

  /**
   * Checks that the three arrays belong together.
   *
   * @param rowOffsets {@code [n + 1]} row offsets
   * @param latents {@code [nnz]} latents
   * @param values {@code [nnz]} activations
   * @throws IllegalArgumentException if the sizes do not agree
   */
  public Csr {
    Objects.requireNonNull(rowOffsets, "rowOffsets");
    Objects.requireNonNull(latents, "latents");
    Objects.requireNonNull(values, "values");
    if (rowOffsets.length == 0
        || rowOffsets[0] != 0
        || rowOffsets[rowOffsets.length - 1] != latents.length
        || latents.length != values.length) {
      throw new IllegalArgumentException(
          "CSR arrays disagree: "
              + rowOffsets.length
              + " row offsets, "
              + latents.length
              + " latents, "
              + values.length
              + " values");
    }
  }

  /**
   * Returns the number of rows.
   *
   * @return {@code n}
   */
  public int rows() {
    return rowOffsets.length - 1;
  }
}
