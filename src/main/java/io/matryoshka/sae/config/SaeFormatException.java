package io.matryoshka.sae.config;

import java.io.IOException;

/**
 * The files of an SAE do not say what they must: a missing or ill-typed field of {@code cfg.json},
 * a missing or extra tensor, or a tensor whose shape is not that of the configuration.
 */
public final class SaeFormatException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Makes the exception.
   *
   * @param message the file, what was expected, what was found and what to do
   */
  public SaeFormatException(String message) {
    super(message);
  }

  /**
   * Makes the exception with its cause.
   *
   * @param message the file, what was expected, what was found and what to do
   * @param cause what the parser said
   */
  public SaeFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
