package io.matryoshka.sae.internal.zip;

import java.io.IOException;

/** Says that a zip archive is malformed, or holds what this package does not read. */
public final class ZipFormatException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message the file, what was found and what was expected
   */
  public ZipFormatException(String message) {
    super(message);
  }

  /**
   * Creates an exception with the fault that led to it.
   *
   * @param message the file, what was found and what was expected
   * @param cause the underlying fault
   */
  public ZipFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
