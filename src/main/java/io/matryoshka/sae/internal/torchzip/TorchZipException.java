package io.matryoshka.sae.internal.torchzip;

import java.io.IOException;

/**
 * Says that a file of {@code torch.save} is malformed, or holds what this package does not read.
 * The message names the file, what was found and what to do.
 */
public final class TorchZipException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message the file, what was found and what was expected
   */
  public TorchZipException(String message) {
    super(message);
  }

  /**
   * Creates an exception with the fault that led to it.
   *
   * @param message the file, what was found and what was expected
   * @param cause the underlying fault
   */
  public TorchZipException(String message, Throwable cause) {
    super(message, cause);
  }
}
