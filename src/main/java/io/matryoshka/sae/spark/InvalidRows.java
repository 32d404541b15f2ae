package io.matryoshka.sae.spark;

import java.util.Arrays;
import java.util.Locale;

/** What happens to a row that cannot be encoded. */
enum InvalidRows {
  /** It fails the task, with a message that says what is wrong. */
  ERROR,
  /** It is left out. */
  SKIP;

  String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  static InvalidRows of(String key) {
    return Arrays.stream(values())
        .filter(value -> value.key().equals(key))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "handleInvalid: expected error or skip, got '%s'".formatted(key)));
  }
}
