package io.matryoshka.sae.hub;

import java.io.IOException;

/**
 * A redirect cannot be followed. Says which, but not for which file: {@link HubErrors} adds that.
 */
final class RedirectException extends IOException {
  private static final long serialVersionUID = 1L;

  RedirectException(String message) {
    super(message);
  }

  RedirectException(String message, Throwable cause) {
    super(message, cause);
  }
}
