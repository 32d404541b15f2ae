package io.matryoshka.sae.hub;

import java.time.Duration;
import java.util.Optional;

/** The Hub answers no more requests for a while (HTTP 429). */
public final class RateLimitedException extends HubException {
  private static final long serialVersionUID = 1L;
  private static final long UNKNOWN = -1;

  /** Holds the wait that the Hub asks for, in seconds, or -1. */
  private final long retryAfterSeconds;

  RateLimitedException(String message, Optional<Duration> retryAfter) {
    super(message);
    this.retryAfterSeconds = retryAfter.map(Duration::toSeconds).orElse(UNKNOWN);
  }

  /**
   * Returns how long the Hub asks to wait.
   *
   * @return the wait, counted from the answer, or empty if the Hub did not say
   */
  public Optional<Duration> retryAfter() {
    return retryAfterSeconds == UNKNOWN
        ? Optional.empty()
        : Optional.of(Duration.ofSeconds(retryAfterSeconds));
  }
}
