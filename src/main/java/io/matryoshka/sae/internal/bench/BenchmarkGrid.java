package io.matryoshka.sae.internal.bench;

import java.util.List;
import java.util.Set;

/**
 * What a run measures: every operation at every number of tokens and every width.
 *
 * @param operations what is timed
 * @param load whether loading and the first encode are timed
 * @param tokens numbers of tokens of a call
 * @param widths widths of the prefix views that are called
 * @param secondsPerTurn about how long one engine runs before the other has its turn
 * @param dense whether the dense form is timed too
 */
public record BenchmarkGrid(
    Set<Operation> operations,
    boolean load,
    List<Integer> tokens,
    List<Integer> widths,
    double secondsPerTurn,
    boolean dense) {

  private static final double MAX_SECONDS = 3600;

  /**
   * Copies and checks the values.
   *
   * @param operations what is timed
   * @param load whether loading and the first encode are timed
   * @param tokens numbers of tokens of a call
   * @param widths widths of the prefix views that are called
   * @param secondsPerTurn about how long one engine runs before the other has its turn
   * @param dense whether the dense form is timed too
   * @throws IllegalArgumentException if there is nothing to measure or a number is out of range
   */
  public BenchmarkGrid {
    operations = Set.copyOf(operations);
    tokens = List.copyOf(tokens);
    widths = List.copyOf(widths);
    if (operations.isEmpty() && !load || tokens.isEmpty() || widths.isEmpty()) {
      throw new IllegalArgumentException(
          "expected at least one operation, number of tokens and width to measure");
    }
    requirePositive("tokens", tokens);
    requirePositive("widths", widths);
    if (!(secondsPerTurn > 0 && secondsPerTurn <= MAX_SECONDS)) {
      throw new IllegalArgumentException(
          "seconds must lie above 0 and at most at %.0f, got %s"
              .formatted(MAX_SECONDS, secondsPerTurn));
    }
  }

  private static void requirePositive(String name, List<Integer> values) {
    for (int value : values) {
      if (value < 1) {
        throw new IllegalArgumentException(name + " must be at least 1, got " + value);
      }
    }
  }

  /**
   * Refuses an SAE for which the grid is too large.
   *
   * @param dIn the width of a model activation
   * @param dSae the number of latents
   * @throws IllegalArgumentException if a width is above {@code d_sae}, or arrays of the largest
   *     call would not fit into 2 GiB
   */
  public void requireFits(int dIn, int dSae) {
    for (int width : widths) {
      if (width > dSae) {
        throw new IllegalArgumentException(
            "widths must be at most d_sae = " + dSae + ", got " + width);
      }
    }
    boolean dense = operations.contains(Operation.ENCODE) || operations.contains(Operation.DECODE);
    int columns = Math.max(dIn, dense ? max(widths) : 0);
    long most = Integer.MAX_VALUE / Float.BYTES / columns;
    if (maxTokens() > most) {
      throw new IllegalArgumentException(
          "tokens must be at most %d, so that arrays of %d columns stay below 2 GiB, got %d"
              .formatted(most, columns, maxTokens()));
    }
  }

  /** Tokens of the largest call. */
  int maxTokens() {
    return max(tokens);
  }

  /**
   * Returns the number of measurements, of which loading is one.
   *
   * @return at least 1
   */
  public int measurements() {
    return operations.size() * tokens.size() * widths.size() + (load ? 1 : 0);
  }

  private static int max(List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).max().orElse(0);
  }
}
