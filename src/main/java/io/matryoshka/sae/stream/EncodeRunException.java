package io.matryoshka.sae.stream;

import java.io.IOException;

/**
 * Says that an encode run cannot begin, resume or go on because of its output. The message names
 * the folder or file and what to do.
 */
public final class EncodeRunException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message what is wrong and what to do
   */
  public EncodeRunException(String message) {
    super(message);
  }

  /**
   * Creates an exception with the fault that led to it.
   *
   * @param message what is wrong and what to do
   * @param cause the underlying fault
   */
  public EncodeRunException(String message, Throwable cause) {
    super(message, cause);
  }
}
