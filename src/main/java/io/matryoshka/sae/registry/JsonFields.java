package io.matryoshka.sae.registry;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Typed access to the fields of one JSON object, with the place of each for messages.
 *
 * <p>A field may fall back to the object around it: a fact that is the same for all SAEs of a
 * release stands once, at the release.
 */
final class JsonFields {

  private static final int MAX_SHOWN_CHARACTERS = 80;

  private final String file;
  private final String path;
  private final JsonNode object;
  private final Optional<JsonFields> outer;

  private JsonFields(String file, String path, JsonNode object, Optional<JsonFields> outer) {
    this.file = file;
    this.path = path;
    this.object = object;
    this.outer = outer;
  }

  static JsonFields root(String file, JsonNode node) throws RegistryException {
    return of(file, "$", node, Optional.empty());
  }

  private static JsonFields of(String file, String path, JsonNode node, Optional<JsonFields> outer)
      throws RegistryException {
    if (!node.isObject()) {
      throw new RegistryException(file, path, "expected an object, got " + show(node));
    }
    return new JsonFields(file, path, node, outer);
  }

  /** Refuses every field that is not in the list, so that a misspelt one is noticed. */
  void requireOnly(Set<String> known) throws RegistryException {
    for (var names = object.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!known.contains(name)) {
        List<String> sorted = known.stream().sorted().toList();
        throw problem("unknown field " + Messages.quote(name) + "; expected one of " + sorted);
      }
    }
  }

  /** Tells whether the object itself has a field. */
  boolean has(String name) {
    return object.has(name);
  }

  String text(String name) throws RegistryException {
    Field field = required(name);
    if (!field.node().isTextual()) {
      throw field.mismatch("a text");
    }
    return field.node().textValue();
  }

  Optional<String> optionalText(String name) throws RegistryException {
    return find(name).isEmpty() ? Optional.empty() : Optional.of(text(name));
  }

  int integer(String name) throws RegistryException {
    Field field = required(name);
    if (!field.node().isIntegralNumber() || !field.node().canConvertToInt()) {
      throw field.mismatch("a 32-bit integer");
    }
    return field.node().intValue();
  }

  OptionalInt optionalInteger(String name) throws RegistryException {
    return find(name).isEmpty() ? OptionalInt.empty() : OptionalInt.of(integer(name));
  }

  long longInteger(String name) throws RegistryException {
    Field field = required(name);
    if (!field.node().isIntegralNumber() || !field.node().canConvertToLong()) {
      throw field.mismatch("a 64-bit integer");
    }
    return field.node().longValue();
  }

  OptionalDouble optionalNumber(String name) throws RegistryException {
    Optional<Field> field = find(name);
    if (field.isEmpty()) {
      return OptionalDouble.empty();
    }
    if (!field.get().node().isNumber()) {
      throw field.get().mismatch("a number");
    }
    return OptionalDouble.of(field.get().node().doubleValue());
  }

  /** The fields of an object, each with a value that is an integer. */
  Map<String, Integer> integersByName(String name) throws RegistryException {
    Map<String, Integer> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonFields> entry : objectOf(name)) {
      values.put(entry.getKey(), entry.getValue().integer(entry.getKey()));
    }
    return values;
  }

  /** The fields of an object, each with a value that is a list of integers. */
  Map<String, List<Integer>> integerListsByName(String name) throws RegistryException {
    Map<String, List<Integer>> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonFields> entry : objectOf(name)) {
      values.put(
          entry.getKey(), entry.getValue().optionalIntegers(entry.getKey()).orElse(List.of()));
    }
    return values;
  }

  private List<Map.Entry<String, JsonFields>> objectOf(String name) throws RegistryException {
    JsonFields fields = object(name);
    List<Map.Entry<String, JsonFields>> entries = new ArrayList<>();
    fields.object.fieldNames().forEachRemaining(key -> entries.add(Map.entry(key, fields)));
    return entries;
  }

  List<String> optionalTexts(String name) throws RegistryException {
    Optional<Field> field = find(name);
    List<String> values = new ArrayList<>();
    if (field.isPresent()) {
      for (Field element : field.get().elements()) {
        if (!element.node().isTextual()) {
          throw element.mismatch("a text");
        }
        values.add(element.node().textValue());
      }
    }
    return values;
  }

  Optional<List<Integer>> optionalIntegers(String name) throws RegistryException {
    Optional<Field> field = find(name);
    if (field.isEmpty()) {
      return Optional.empty();
    }
    List<Integer> values = new ArrayList<>();
    for (JsonNode element : field.get().list()) {
      if (!element.isIntegralNumber() || !element.canConvertToInt()) {
        throw field.get().element(values.size()).mismatch("a 32-bit integer");
      }
      values.add(element.intValue());
    }
    return Optional.of(values);
  }

  JsonFields object(String name) throws RegistryException {
    Field field = required(name);
    return of(file, field.path(), field.node(), Optional.empty());
  }

  Optional<JsonFields> optionalObject(String name) throws RegistryException {
    return find(name).isEmpty() ? Optional.empty() : Optional.of(object(name));
  }

  /** The objects of a list; each falls back to this object for fields that it lacks. */
  List<JsonFields> objects(String name) throws RegistryException {
    List<JsonFields> objects = new ArrayList<>();
    for (Field element : required(name).elements()) {
      objects.add(of(file, element.path(), element.node(), Optional.of(this)));
    }
    return objects;
  }

  /** A fault of this object as a whole. */
  RegistryException problem(String message) {
    return new RegistryException(file, path, message);
  }

  /** A fault of this object that its record found. */
  RegistryException problem(IllegalArgumentException cause) {
    return new RegistryException(file, path, cause.getMessage(), cause);
  }

  private Field required(String name) throws RegistryException {
    Optional<Field> field = find(name);
    if (field.isEmpty()) {
      throw problem("field '" + name + "' is missing");
    }
    return field.get();
  }

  private Optional<Field> find(String name) {
    return object.has(name)
        ? Optional.of(new Field(file, path + "." + name, object.get(name)))
        : outer.flatMap(fields -> fields.find(name));
  }

  private static String show(JsonNode node) {
    if (node.isMissingNode()) {
      return "nothing";
    }
    String text = node.toString();
    String shown =
        text.length() <= MAX_SHOWN_CHARACTERS
            ? text
            : text.substring(0, MAX_SHOWN_CHARACTERS) + "...";
    return shown + " (" + node.getNodeType().name().toLowerCase(Locale.ROOT) + ")";
  }

  /** A value with its place. */
  private record Field(String file, String path, JsonNode node) {

    RegistryException mismatch(String expected) {
      return new RegistryException(file, path, "expected " + expected + ", got " + show(node));
    }

    JsonNode list() throws RegistryException {
      if (!node.isArray()) {
        throw mismatch("a list");
      }
      return node;
    }

    Field element(int index) {
      return new Field(file, path + "[" + index + "]", node.get(index));
    }

    List<Field> elements() throws RegistryException {
      List<Field> elements = new ArrayList<>();
      for (int i = 0; i < list().size(); i++) {
        elements.add(element(i));
      }
      return elements;
    }
  }
}
