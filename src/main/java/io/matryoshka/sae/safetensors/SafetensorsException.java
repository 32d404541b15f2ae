package io.matryoshka.sae.safetensors;

import java.io.IOException;

/**
 * Says that a safetensors file is malformed, or does not hold what was asked of it. The message
 * names the file, the tensor where there is one, and the byte offsets or values involved.
 */
public final class SafetensorsException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message the file, the tensor, what was found and what was expected
   */
  public SafetensorsException(String message) {
    super(message);
  }

  /**
   * Creates an exception with the fault that led to it.
   *
   * @param message the file, the tensor, what was found and what was expected
   * @param cause the underlying fault
   */
  public SafetensorsException(String message, Throwable cause) {
    super(message, cause);
  }
}
