package io.matryoshka.sae.hub;

import java.net.URI;

/** The repository exists, but its terms must be accepted on its page first. */
public final class GatedRepositoryException extends HubException {
  private static final long serialVersionUID = 1L;

  /** Holds the page on which the terms are accepted. */
  private final URI page;

  GatedRepositoryException(String message, URI page) {
    super(message);
    this.page = page;
  }

  /**
   * Returns the page on which the terms are shown and accepted.
   *
   * @return the address of the page
   */
  public URI page() {
    return page;
  }
}
