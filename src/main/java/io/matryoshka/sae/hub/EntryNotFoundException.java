package io.matryoshka.sae.hub;

import java.util.Optional;

/** The repository has no such file at that revision. */
public final class EntryNotFoundException extends HubException {
  private static final long serialVersionUID = 1L;

  /** Holds the commit that lacks the file, or an empty text. */
  private final String commit;

  /** The server speaks of the file, and not of anything that is missing. */
  private final boolean certain;

  EntryNotFoundException(String message, Optional<String> commit) {
    this(message, commit, true);
  }

  private EntryNotFoundException(String message, Optional<String> commit, boolean certain) {
    super(message);
    this.commit = commit.orElse("");
    this.certain = certain;
  }

  /** For a plain 404, as mirrors and file servers give it. */
  static EntryNotFoundException presumably(String message) {
    return new EntryNotFoundException(message, Optional.empty(), false);
  }

  /** Tells whether it is the file that is missing, and not its repository or revision. */
  boolean isCertain() {
    return certain;
  }

  /** Returns the commit that lacks the file, where the Hub named it. */
  Optional<String> commit() {
    return Optional.of(commit).filter(c -> !c.isEmpty());
  }
}
