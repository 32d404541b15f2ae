package io.matryoshka.sae.internal.serve.view;

import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Reads the parameters of a request without a body, and refuses what is unknown. */
public final class Query {

  private final Map<String, String> parameters;
  private final Set<String> read = new HashSet<>();

  /**
   * Begins to read.
   *
   * @param parameters names and values
   */
  public Query(Map<String, String> parameters) {
    this.parameters = Map.copyOf(parameters);
  }

  Optional<String> text(String name) {
    read.add(name);
    return Optional.ofNullable(parameters.get(name));
  }

  String requiredText(String name) {
    return text(name)
        .orElseThrow(() -> ViewException.badRequest(name + ": expected a value, got none"));
  }

  OptionalInt optionalNumber(String name, int least, int most) {
    Optional<String> value = text(name).filter(text -> !text.isEmpty());
    return value.isPresent() ? OptionalInt.of(number(name, least, most)) : OptionalInt.empty();
  }

  int number(String name, int least, int most) {
    String value = requiredText(name);
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw wrong(name, least, most, value);
    }
    throw wrong(name, least, most, value);
  }

  private static ViewException wrong(String name, int least, int most, String value) {
    return ViewException.badRequest(
        "%s: expected a whole number from %d to %d, got '%.40s'"
            .formatted(name, least, most, value));
  }

  void requireNoOther() {
    for (String name : parameters.keySet()) {
      if (!read.contains(name)) {
        throw ViewException.badRequest(
            "parameter '%.40s' is not known; expected %s".formatted(name, read));
      }
    }
  }
}
