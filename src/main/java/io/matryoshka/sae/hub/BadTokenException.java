package io.matryoshka.sae.hub;

/** The Hub does not know the token: it is mistyped, revoked or expired. */
public final class BadTokenException extends HubException {
  private static final long serialVersionUID = 1L;

  BadTokenException(String message) {
    super(message);
  }
}
