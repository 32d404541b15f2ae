package io.matryoshka.sae.hub;

/** The server does not serve parts of the file; fetch it whole instead. */
public final class RangesUnsupportedException extends HubException {
  private static final long serialVersionUID = 1L;

  RangesUnsupportedException(String message) {
    super(message);
  }
}
