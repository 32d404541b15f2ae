package io.matryoshka.sae.hub;

import java.io.IOException;

/**
 * A file could not be fetched from the Hub or found in its cache. The subclasses say why; each
 * message says what was asked, what happened and what to do next, and never holds a token.
 */
public class HubException extends IOException {
  private static final long serialVersionUID = 1L;

  HubException(String message) {
    super(message);
  }

  HubException(String message, Throwable cause) {
    super(message, cause);
  }
}
