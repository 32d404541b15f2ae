package io.matryoshka.sae.hub;

import java.io.InterruptedIOException;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How often and after which waits a failed request is repeated.
 *
 * @param maxRetries repetitions in a row without any progress before giving up
 * @param firstDelay the wait before the first repetition; it doubles from one to the next
 * @param maxDelay the longest wait that the client chooses by itself
 * @param maxRetryAfter the longest wait accepted from a server
 */
record RetryPolicy(int maxRetries, Duration firstDelay, Duration maxDelay, Duration maxRetryAfter) {
  static final RetryPolicy DEFAULT =
      new RetryPolicy(5, Duration.ofSeconds(1), Duration.ofSeconds(8), Duration.ofMinutes(5));

  private static final Pattern RATE_LIMIT_RESET = Pattern.compile("[;,]\\s*t=(\\d{1,9})");
  private static final Pattern SECONDS = Pattern.compile("\\d{1,9}");

  /** Tells whether an answer with this status may be better next time. */
  static boolean isTransient(int status) {
    return status == 408 || status == 429 || status >= 500;
  }

  /** Reads {@code Retry-After} (seconds or a date) or else the reset time of {@code RateLimit}. */
  static Optional<Duration> retryAfter(HttpHeaders headers) {
    Optional<Duration> asked = headers.firstValue("Retry-After").flatMap(RetryPolicy::parse);
    return asked.or(
        () ->
            headers
                .firstValue("RateLimit")
                .map(RATE_LIMIT_RESET::matcher)
                .filter(Matcher::find)
                .map(m -> Duration.ofSeconds(Long.parseLong(m.group(1)))));
  }

  private static Optional<Duration> parse(String text) {
    String value = text.strip();
    if (SECONDS.matcher(value).matches()) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(value)));
    }
    try {
      Instant when = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      Duration wait = Duration.between(Instant.now(), when);
      return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  /**
   * Waits before a repetition, or gives up.
   *
   * @param failures how many times in a row it has failed, 1 or more
   * @param failure the last failure, thrown when it is time to give up
   */
  <E extends HubException> void awaitRetry(int failures, E failure)
      throws E, InterruptedIOException {
    Optional<Duration> asked =
        failure instanceof RateLimitedException limited ? limited.retryAfter() : Optional.empty();
    if (failures > maxRetries || asked.filter(d -> d.compareTo(maxRetryAfter) > 0).isPresent()) {
      throw failure;
    }
    try {
      Thread.sleep(asked.orElseGet(() -> delay(failures)).toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(
          "Interrupted while waiting to retry: " + failure.getMessage());
    }
  }

  /**
   * Doubles from one failure to the next; random within a half, so that clients do not march in
   * step.
   */
  Duration delay(int failures) {
    int doublings = Math.min(failures - 1, 20);
    long millis = Math.min(firstDelay.toMillis() << doublings, maxDelay.toMillis());
    return Duration.ofMillis(millis - ThreadLocalRandom.current().nextLong(millis / 2 + 1));
  }
}
