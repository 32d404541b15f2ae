package io.matryoshka.sae.hub;

/** What arrived is not the file that the Hub announced: wrong length or wrong hash. */
public final class IntegrityException extends HubException {
  private static final long serialVersionUID = 1L;

  IntegrityException(String message) {
    super(message);
  }
}
