package io.matryoshka.sae.internal.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** The last step of nested decoding: each width has the sums of its level and of those below. */
public final class LevelSums {

  private LevelSums() {}

  /**
   * Sums the levels up.
   *
   * @param parts {@code [rows * levels, d_in]} what each level adds to each row, row after row
   * @param rows number of rows
   * @param levels number of levels
   * @param scope owns the results
   * @return one {@code [rows, d_in]} per level
   */
  public static NDArray[] upToEach(NDArray parts, int rows, int levels, NDManager scope) {
    NDArray byLevel = parts.reshape(rows, levels, parts.getShape().get(1));
    byLevel.attach(scope);
    NDArray[] results = new NDArray[levels];
    for (int level = 0; level < levels; level++) {
      results[level] = byLevel.get(":, {}", level);
      results[level].attach(scope);
      if (level > 0) {
        results[level] = results[level].add(results[level - 1]);
      }
    }
    return results;
  }
}
