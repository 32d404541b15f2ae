package io.matryoshka.sae;

import java.util.Arrays;
import java.util.Optional;

/** The architectures of a {@code cfg.json} that this library runs, by their SAELens names. */
public enum Architecture {
  /** ReLU: {@code f = relu(z)}. */
  STANDARD("standard"),
  /** JumpReLU: {@code f = relu(z) * (z > threshold)}. */
  JUMPRELU("jumprelu"),
  /** The {@code k} largest pre-activations of a token, then ReLU. */
  TOPK("topk"),
  /** BatchTopK, which runs as JumpReLU once its threshold is estimated. */
  BATCHTOPK("batchtopk"),
  /** Matryoshka BatchTopK, which runs as JumpReLU once its threshold is estimated. */
  MATRYOSHKA_BATCHTOPK("matryoshka_batchtopk");

  private final String key;

  Architecture(String key) {
    this.key = key;
  }

  /**
   * Returns the name in {@code cfg.json}.
   *
   * @return such as {@code matryoshka_batchtopk}
   */
  public String key() {
    return key;
  }

  /**
   * Tells whether a {@code threshold} tensor belongs to the weights.
   *
   * @return true for the JumpReLU family
   */
  public boolean hasThreshold() {
    return this != STANDARD && this != TOPK;
  }

  static Optional<Architecture> find(String key) {
    return Arrays.stream(values()).filter(a -> a.key.equals(key)).findFirst();
  }
}
