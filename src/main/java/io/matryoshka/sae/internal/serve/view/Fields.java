package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Reads the fields of a request, and refuses what is missing, unknown or of another type. */
public final class Fields {

  private static final String FLOAT32 = "a number from -3.4e38 to 3.4e38, as float32 holds it";

  private final ObjectNode object;
  private final String where;
  private final Set<String> read = new HashSet<>();

  /**
   * Begins to read.
   *
   * @param object the request
   */
  public Fields(ObjectNode object) {
    this(object, "");
  }

  private Fields(ObjectNode object, String where) {
    this.object = object;
    this.where = where;
  }

  private Optional<JsonNode> find(String name) {
    read.add(name);
    return Optional.ofNullable(object.get(name)).filter(value -> !value.isNull());
  }

  String text(String name) {
    return optionalText(name).orElseThrow(() -> wrong(name, "a text", "none"));
  }

  Optional<String> optionalText(String name) {
    return find(name)
        .map(value -> require(value.isTextual(), name, "a text", value, JsonNode::textValue));
  }

  int number(String name, int least, int most) {
    return find(name)
        .map(value -> number(name, value, least, most))
        .orElseThrow(() -> wrong(name, "a whole number", "none"));
  }

  int number(String name, int missing, int least, int most) {
    return find(name).map(value -> number(name, value, least, most)).orElse(missing);
  }

  private int number(String name, JsonNode value, int least, int most) {
    String expected = "a whole number from %d to %d".formatted(least, most);
    boolean fits =
        value.isIntegralNumber()
            && value.canConvertToInt()
            && value.intValue() >= least
            && value.intValue() <= most;
    return require(fits, name, expected, value, JsonNode::intValue);
  }

  long seed(String name) {
    return find(name)
        .map(
            value ->
                require(
                    value.isIntegralNumber() && value.canConvertToLong(),
                    name,
                    "a whole number of at most 64 bits",
                    value,
                    JsonNode::longValue))
        .orElse(0L);
  }

  double decimal(String name, double missing) {
    return find(name).map(value -> decimal(name, value)).orElse(missing);
  }

  double decimal(String name) {
    return find(name)
        .map(value -> decimal(name, value))
        .orElseThrow(() -> wrong(name, "a number", "none"));
  }

  private double decimal(String name, JsonNode value) {
    require(value.isNumber(), name, "a number", value, JsonNode::doubleValue);
    boolean fits = Float.isFinite(value.floatValue());
    return require(fits, name, FLOAT32, value, JsonNode::doubleValue);
  }

  boolean flag(String name, boolean missing) {
    return find(name)
        .map(value -> require(value.isBoolean(), name, "true or false", value, JsonNode::asBoolean))
        .orElse(missing);
  }

  Fields object(String name) {
    JsonNode value = find(name).orElseThrow(() -> wrong(name, "an object", "none"));
    return require(value.isObject(), name, "an object", value, v -> inner(v, name));
  }

  /** Returns the objects of a list, none if it is missing. */
  List<Fields> objects(String name, int most) {
    List<Fields> objects = new ArrayList<>();
    for (JsonNode value : list(name, most)) {
      String at = name + "[" + objects.size() + "]";
      objects.add(require(value.isObject(), at, "an object", value, v -> inner(v, at)));
    }
    return objects;
  }

  /** Returns the texts of a list, none if it is missing. */
  List<String> texts(String name, int most) {
    List<String> texts = new ArrayList<>();
    for (JsonNode value : list(name, most)) {
      texts.add(require(value.isTextual(), name, "texts", value, JsonNode::textValue));
    }
    return texts;
  }

  private Iterable<JsonNode> list(String name, int most) {
    return find(name)
        .map(
            value ->
                require(
                    value.isArray() && value.size() <= most,
                    name,
                    "a list of at most " + most,
                    value,
                    list -> (Iterable<JsonNode>) list))
        .orElse(List.of());
  }

  private Fields inner(JsonNode value, String name) {
    return new Fields((ObjectNode) value, where + name + ".");
  }

  /** Refuses fields that nobody has read. */
  void requireNoOther() {
    object
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!read.contains(name)) {
                throw ViewException.badRequest(
                    "field '%s%s' is not known; expected %s".formatted(where, name, read));
              }
            });
  }

  private <T> T require(
      boolean fits, String name, String expected, JsonNode value, Function<JsonNode, T> result) {
    if (!fits) {
      String given = value.isContainerNode() ? "an object or a list" : value.toString();
      throw wrong(name, expected, given.length() > 40 ? given.substring(0, 40) + "…" : given);
    }
    return result.apply(value);
  }

  private ViewException wrong(String name, String expected, String given) {
    return ViewException.badRequest(
        "%s%s: expected %s, got %s".formatted(where, name, expected, given));
  }
}
