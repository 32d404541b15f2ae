package io.matryoshka.sae.hub;

/** The client is offline and the file is not in the cache. */
public final class NotCachedException extends HubException {
  private static final long serialVersionUID = 1L;

  NotCachedException(String message) {
    super(message);
  }
}
