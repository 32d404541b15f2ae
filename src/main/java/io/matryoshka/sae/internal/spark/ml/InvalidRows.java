package io.matryoshka.sae.internal.spark.ml;

import java.util.Arrays;
import java.util.Locale;

/** What happens to a row that cannot be encoded. */
public enum InvalidRows {
  /** It fails the task, with a message that says what is wrong. */
  ERROR,
  /** It is left out. */
  SKIP;

  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static InvalidRows of(String key) {
    return Arrays.stream(values())
        .filter(value -> value.key().equals(key))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "handleInvalid: expected error or skip, got '%s'".formatted(key)));
  }
}
