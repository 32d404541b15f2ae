package io.matryoshka.sae.hub;

/** The token is valid but does not allow this, or the Hub has disabled the repository. */
public final class AccessForbiddenException extends HubException {
  private static final long serialVersionUID = 1L;

  AccessForbiddenException(String message) {
    super(message);
  }
}
