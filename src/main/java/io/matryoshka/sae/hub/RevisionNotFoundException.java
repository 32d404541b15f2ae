package io.matryoshka.sae.hub;

/** The repository has no such branch, tag or commit. */
public final class RevisionNotFoundException extends HubException {
  private static final long serialVersionUID = 1L;

  RevisionNotFoundException(String message) {
    super(message);
  }
}
