package io.matryoshka.sae.npy;

import java.io.IOException;

/**
 * Says that a {@code .npy} file is malformed, or holds what this package does not read. The message
 * names the file, what was found and what to do.
 */
public final class NpyException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message the file, what was found and what was expected
   */
  public NpyException(String message) {
    super(message);
  }

  /**
   * Creates an exception with the fault that led to it.
   *
   * @param message the file, what was found and what was expected
   * @param cause the underlying fault
   */
  public NpyException(String message, Throwable cause) {
    super(message, cause);
  }
}
