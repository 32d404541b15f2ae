package io.matryoshka.sae.stream;

import java.io.IOException;

/**
 * Says that files do not hold activations as asked for, do not fit together, or have changed while
 * they were read. The message names the file, what was found and what was expected.
 */
public final class ActivationException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message the file, what was found and what was expected
   */
  public ActivationException(String message) {
    super(message);
  }
}
