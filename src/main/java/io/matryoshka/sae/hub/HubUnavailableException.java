package io.matryoshka.sae.hub;

/** The Hub or the network does not answer as it should, and nothing cached could stand in. */
public final class HubUnavailableException extends HubException {
  private static final long serialVersionUID = 1L;

  HubUnavailableException(String message) {
    super(message);
  }

  HubUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
