package io.matryoshka.sae.registry;

import java.util.List;

/** A release was asked for that the registry does not hold. */
public final class UnknownReleaseException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  /** The release that was asked for. */
  private final String release;

  /** The nearest valid names. */
  private final String[] suggestions;

  UnknownReleaseException(String release, List<String> suggestions, List<String> known) {
    super(
        "unknown release %s: %s Number of known releases: %d."
            .formatted(Messages.quote(release), Messages.hint(suggestions, known), known.size()));
    this.release = release;
    this.suggestions = suggestions.toArray(String[]::new);
  }

  /**
   * Returns the name that was asked for.
   *
   * @return the unknown name
   */
  public String release() {
    return release;
  }

  /**
   * Returns the nearest valid names.
   *
   * @return the names, the nearest first; empty if nothing is near
   */
  public List<String> suggestions() {
    return List.of(suggestions);
  }
}
