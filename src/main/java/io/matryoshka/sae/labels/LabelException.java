package io.matryoshka.sae.labels;

import java.io.IOException;

/** Says that labels cannot be had: the source is malformed, missing or cannot be reached. */
public final class LabelException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message the source, what was found and what to do
   */
  public LabelException(String message) {
    super(message);
  }

  /**
   * Creates an exception with the fault that led to it.
   *
   * @param message the source, what was found and what to do
   * @param cause the underlying fault
   */
  public LabelException(String message, Throwable cause) {
    super(message, cause);
  }
}
