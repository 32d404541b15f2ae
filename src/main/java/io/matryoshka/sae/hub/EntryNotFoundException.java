package io.matryoshka.sae.hub;

import java.util.Optional;

/** The repository has no such file at that revision. */
public final class EntryNotFoundException extends HubException {
  private static final long serialVersionUID = 1L;

  /** Holds the commit that lacks the file, or an empty text. */
  private final String commit;

  EntryNotFoundException(String message, Optional<String> commit) {
    super(message);
    this.commit = commit.orElse("");
  }

  /** Returns the commit that lacks the file, where the Hub named it. */
  Optional<String> commit() {
    return Optional.of(commit).filter(c -> !c.isEmpty());
  }
}
