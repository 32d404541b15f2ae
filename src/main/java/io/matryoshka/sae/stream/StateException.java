package io.matryoshka.sae.stream;

import java.io.IOException;

/**
 * Says that a saved state cannot be taken up: it is damaged, cut off, of another kind or version,
 * or of another SAE or other options. The message names what was found, what was expected and what
 * to do.
 */
public final class StateException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message what was found, what was expected and what to do
   */
  public StateException(String message) {
    super(message);
  }

  /**
   * Creates an exception with the fault that led to it.
   *
   * @param message what was found, what was expected and what to do
   * @param cause the underlying fault
   */
  public StateException(String message, Throwable cause) {
    super(message, cause);
  }
}
