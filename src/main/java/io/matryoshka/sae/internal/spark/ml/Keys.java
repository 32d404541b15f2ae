package io.matryoshka.sae.internal.spark.ml;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Values of parameters that are choices: their names in lower case. */
final class Keys {

  private Keys() {}

  static String of(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /**
   * Finds a value.
   *
   * @param parameter its name, for a message
   */
  static <E extends Enum<E>> E find(Class<E> type, String parameter, String key) {
    E[] values = type.getEnumConstants();
    return Arrays.stream(values)
        .filter(value -> of(value).equals(key))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s: expected %s, got '%s'"
                        .formatted(
                            parameter,
                            Arrays.stream(values).map(Keys::of).collect(Collectors.joining(" or ")),
                            key)));
  }
}
