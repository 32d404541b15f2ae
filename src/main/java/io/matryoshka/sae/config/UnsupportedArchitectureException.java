package io.matryoshka.sae.config;

import java.io.IOException;

/** A folder holds an SAE of an architecture that this library does not run. */
public final class UnsupportedArchitectureException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Makes the exception.
   *
   * @param message what was found, what is supported and what to do
   */
  public UnsupportedArchitectureException(String message) {
    super(message);
  }
}
