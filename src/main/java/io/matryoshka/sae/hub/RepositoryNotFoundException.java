package io.matryoshka.sae.hub;

/** No such repository, or it is private and the token, if any, does not open it. */
public final class RepositoryNotFoundException extends HubException {
  private static final long serialVersionUID = 1L;

  RepositoryNotFoundException(String message) {
    super(message);
  }
}
