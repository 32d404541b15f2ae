package io.matryoshka.sae.explore;

import java.util.Arrays;
import java.util.Objects;

/**
 * A token where a latent fires strongly, and the tokens around it.
 *
 * @param row the row of the token within the source
 * @param firstRow the row of the first token of the context, at most {@code row}
 * @param activations the latent's activation on each token of the context, 0 where it is not active
 */
public record TopContext(long row, long firstRow, float[] activations) {

  /**
   * Copies the array and checks that the token lies in its context.
   *
   * @param row the row of the token
   * @param firstRow the row of the first token of the context
   * @param activations the latent's activation on each token of the context
   * @throws IllegalArgumentException if the token does not lie in its context
   */
  public TopContext {
    if (row < firstRow || row - firstRow >= activations.length) {
      throw new IllegalArgumentException(
          "context: row %s must lie in %s..%s"
              .formatted(row, firstRow, firstRow + activations.length - 1));
    }
    activations = activations.clone();
  }

  /**
   * Returns the activations.
   *
   * @return a copy
   */
  @Override
  public float[] activations() {
    return activations.clone();
  }

  /**
   * Returns the activation on the token itself.
   *
   * @return the activation that made it a top token
   */
  public float activation() {
    return activations[(int) (row - firstRow)];
  }

  /** Keeps the part of the context that lies in the token's own sequence. */
  TopContext within(Tokens tokens) {
    int at = Math.toIntExact(row);
    int from = at;
    int to = at + 1;
    while (from > firstRow && tokens.sameSequence(from - 1, at)) {
      from--;
    }
    while (to < firstRow + activations.length && tokens.sameSequence(to, at)) {
      to++;
    }
    int base = Math.toIntExact(firstRow);
    return new TopContext(row, from, Arrays.copyOfRange(activations, from - base, to - base));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TopContext that
        && row == that.row
        && firstRow == that.firstRow
        && Arrays.equals(activations, that.activations);
  }

  @Override
  public int hashCode() {
    return Objects.hash(row, firstRow, Arrays.hashCode(activations));
  }
}
