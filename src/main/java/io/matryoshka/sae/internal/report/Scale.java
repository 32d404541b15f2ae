package io.matryoshka.sae.internal.report;

/** How an axis spaces its values. */
public enum Scale {
  /** Equal differences are equally far apart. */
  LINEAR,
  /** Equal ratios are equally far apart; for values that span decades, such as densities. */
  LOG
}
