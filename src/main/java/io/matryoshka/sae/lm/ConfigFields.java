package io.matryoshka.sae.lm;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The fields of one JSON object of a configuration, each checked as it is read. */
final class ConfigFields {

  private static final int MAX_SIZE = 1 << 24;

  private final Path file;
  private final JsonNode object;

  ConfigFields(Path file, JsonNode object) {
    this.file = file;
    this.object = object;
  }

  Path file() {
    return file;
  }

  /** The keys whose value is not null, false, 0 or empty, in the order of the file. */
  List<String> keysWithEffect() {
    List<String> keys = new ArrayList<>();
    object.properties().stream()
        .filter(entry -> hasEffect(entry.getValue()))
        .forEach(entry -> keys.add(entry.getKey()));
    return keys;
  }

  private static boolean hasEffect(JsonNode value) {
    return value.isContainerNode() ? !value.isEmpty() : value.isTextual() || value.asDouble() != 0;
  }

  /** Whether the key is there with a value other than null. */
  boolean has(String key) {
    return object.hasNonNull(key);
  }

  boolean isNull(String key) {
    return object.has(key) && object.get(key).isNull();
  }

  boolean isObject(String key) {
    return object.path(key).isObject();
  }

  ConfigFields object(String key) throws ModelFormatException {
    if (!object.path(key).isObject()) {
      throw problem(key, "an object");
    }
    return new ConfigFields(file, object.get(key));
  }

  String text(String key, String byDefault) throws ModelFormatException {
    if (!has(key)) {
      return byDefault;
    }
    if (!object.get(key).isTextual()) {
      throw problem(key, "a text");
    }
    return object.get(key).textValue();
  }

  List<String> texts(String key) throws ModelFormatException {
    List<String> texts = new ArrayList<>();
    for (JsonNode element : object.path(key)) {
      if (!element.isTextual()) {
        throw problem(key, "a list of texts");
      }
      texts.add(element.textValue());
    }
    return texts;
  }

  /** A number that must be there and counts something. */
  int size(String key) throws ModelFormatException {
    JsonNode value = object.path(key);
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw problem(key, "a whole number");
    }
    if (value.intValue() < 1 || value.intValue() > MAX_SIZE) {
      throw problem(key, "a whole number from 1 to " + MAX_SIZE);
    }
    return value.intValue();
  }

  int size(String key, int byDefault) throws ModelFormatException {
    return has(key) ? size(key) : byDefault;
  }

  double positive(String key) throws ModelFormatException {
    double value = object.path(key).asDouble(Double.NaN);
    if (!object.path(key).isNumber() || !(value > 0) || Double.isInfinite(value)) {
      throw problem(key, "a number above 0");
    }
    return value;
  }

  double positive(String key, double byDefault) throws ModelFormatException {
    return has(key) ? positive(key) : byDefault;
  }

  boolean flag(String key, boolean byDefault) throws ModelFormatException {
    if (!has(key)) {
      return byDefault;
    }
    if (!object.get(key).isBoolean()) {
      throw problem(key, "true or false");
    }
    return object.get(key).booleanValue();
  }

  /** Token ids: one number or a list of them. */
  List<Integer> integers(String key) throws ModelFormatException {
    JsonNode value = object.path(key);
    List<Integer> integers = new ArrayList<>();
    for (JsonNode element : value.isArray() ? value : List.of(value)) {
      if (!element.canConvertToInt() || !element.isIntegralNumber() || element.intValue() < 0) {
        throw problem(key, "token ids");
      }
      integers.add(element.intValue());
    }
    return integers;
  }

  void requireText(String key, Set<String> accepted) throws ModelFormatException {
    if (has(key) && !accepted.contains(text(key, ""))) {
      throw problem(key, String.join(" or ", new TreeSet<>(accepted)));
    }
  }

  ModelFormatException problem(String key, String expected) {
    JsonNode value = object.path(key);
    String found = value.isMissingNode() ? "none" : value.toString();
    String shown = found.length() > 80 ? found.substring(0, 80) + "…" : found;
    return new ModelFormatException(
        "%s: %s: expected %s, got %s".formatted(file, key, expected, shown));
  }
}
