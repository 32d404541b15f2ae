package io.matryoshka.sae.eval;

import java.io.IOException;

/**
 * Says that a saved evaluation cannot be continued: it is malformed, or of another SAE, other
 * activations or other options. The message names the file, what differs and what to do.
 */
public final class EvaluationException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message the file, what was found and what was expected
   */
  public EvaluationException(String message) {
    super(message);
  }

  EvaluationException(String message, Throwable cause) {
    super(message, cause);
  }
}
