package io.matryoshka.sae.internal.kernel;

/**
 * Which pre-activations become active latents.
 *
 * @param kind the kind of rule
 * @param k latents kept per row for {@link Kind#TOP_K}, per row on average for {@link
 *     Kind#BATCH_TOP_K}; 0 for {@link Kind#THRESHOLD}
 */
public record SelectionRule(Kind kind, int k) {

  /** The three kinds of selection. */
  public enum Kind {
    /** Active where {@code z > max(threshold, 0)}. */
    THRESHOLD,
    /** The {@code k} largest of each row, as far as they are above 0. */
    TOP_K,
    /** The {@code k * n} largest of the whole batch, as far as they are above 0. */
    BATCH_TOP_K
  }

  /** The threshold rule. */
  public static final SelectionRule THRESHOLD = new SelectionRule(Kind.THRESHOLD, 0);

  /** The rule of the {@code k} largest of each row. */
  public static SelectionRule topK(int k) {
    return new SelectionRule(Kind.TOP_K, k);
  }

  /** The rule of the {@code k * n} largest of the whole batch. */
  public static SelectionRule batchTopK(int k) {
    return new SelectionRule(Kind.BATCH_TOP_K, k);
  }
}
