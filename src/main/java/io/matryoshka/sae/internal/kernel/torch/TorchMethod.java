package io.matryoshka.sae.internal.kernel.torch;

import java.util.Locale;

/**
 * The methods of {@code kernels.py} that Java calls. docs/kernels.md has the callers, the tests and
 * the shapes of the arguments; the usages of a constant are the callers of its method.
 */
public enum TorchMethod {
  INT8_MM,
  LINEAR,
  MM,
  WEIGHTED_BAGS,
  IS_BFLOAT16,
  TO_FLOAT32,
  ENCODER_ROWS,
  ENCODER_CODES,
  INT8_CANDIDATES,
  INT8_TOP_CANDIDATES,
  INT8_LOWER_BOUNDS,
  INT8_ENTRIES,
  FLOAT32_CANDIDATES,
  FLOAT32_TOP_CANDIDATES,
  FLOAT32_LOWER_BOUNDS,
  FLOAT32_ENTRIES,
  GATED_ENTRIES,
  DENSE_ENTRIES,
  DENSE_TOP_ENTRIES,
  GATED_DENSE_ENTRIES,
  KEEP_OF_ROWS,
  KEEP_OF_BATCH,
  CSR,
  STARTS,
  LEVEL_KEYS,
  BAG_SUMS,
  SPARSE_SUMS,
  OVER_NORMS,
  DENSE_ROWS;

  private final String key = name().toLowerCase(Locale.ROOT);

  /** The name of the method in {@code kernels.py}. */
  public String key() {
    return key;
  }
}
