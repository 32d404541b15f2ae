package io.matryoshka.sae.internal.kernel;

/**
 * What screening did since an engine was made.
 *
 * @param screened pre-activations that were screened
 * @param candidates of those, the ones whose bound let them through to the exact product
 * @param active latents that turned out active
 * @param fallbackRows on the CPU, rows that were screened with a float32 product, where int8 did
 *     not pay or its bound was not useful; on a device, rows whose bound was not useful, so that
 *     the plain product computed them
 */
public record ScreeningStats(long screened, long candidates, long active, long fallbackRows) {

  /** The counters of an engine that does not screen. */
  public static final ScreeningStats NONE = new ScreeningStats(0, 0, 0, 0);
}
