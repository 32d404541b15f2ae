package io.matryoshka.sae.stream;

import java.util.Arrays;
import java.util.Objects;

/**
 * Consecutive rows of a source.
 *
 * @param firstRow index of the first row within the whole source
 * @param rows number of rows, at least 1
 * @param values {@code [rows, d_in]} row-major; belongs to the receiver, and is not copied
 */
public record ActivationBatch(long firstRow, int rows, float[] values) {

  /**
   * Returns the first rows.
   *
   * @param count how many
   * @return this batch if it has no more, else a copy of its first rows
   * @throws IndexOutOfBoundsException if it has fewer
   */
  public ActivationBatch first(int count) {
    Objects.checkFromIndexSize(0, count, rows);
    return count == rows
        ? this
        : new ActivationBatch(firstRow, count, Arrays.copyOf(values, values.length / rows * count));
  }
}
