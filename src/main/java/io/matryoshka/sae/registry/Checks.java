package io.matryoshka.sae.registry;

import java.util.Objects;

/** Checks shared by the records of this package. */
final class Checks {

  private Checks() {}

  static void requireText(String value, String name) {
    Objects.requireNonNull(value, name);
    if (value.isBlank()) {
      throw new IllegalArgumentException(name + ": expected a text, got a blank one");
    }
  }

  static void requirePositive(int value, String name) {
    if (value < 1) {
      throw new IllegalArgumentException(name + ": expected a positive number, got " + value);
    }
  }
}
