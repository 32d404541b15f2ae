package io.matryoshka.sae.lm;

import java.io.IOException;

/** A model folder is incomplete, malformed or of a kind that this library does not run. */
public final class ModelFormatException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message the file, what was found, what was expected
   */
  public ModelFormatException(String message) {
    super(message);
  }

  /**
   * Creates the exception with its cause.
   *
   * @param message the file, what was found, what was expected
   * @param cause what failed
   */
  public ModelFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
