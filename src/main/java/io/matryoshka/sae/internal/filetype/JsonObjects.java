package io.matryoshka.sae.internal.filetype;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;

/** Reads configurations as Python's programs write them. */
public final class JsonObjects {

  private static final ObjectMapper JSON = new ObjectMapper();

  private JsonObjects() {}

  /** Makes the exception of a caller. */
  @FunctionalInterface
  public interface Fault<E extends IOException> {

    /** Makes it of a message and, where there is one, the cause. */
    E of(String message, Throwable cause);
  }

  /**
   * Reads a file that holds one JSON object.
   *
   * @param <E> what a file that holds anything else is answered with
   * @param file the file
   * @param fault makes that exception
   * @return the object
   * @throws E if it holds anything else
   * @throws IOException if it cannot be read
   */
  public static <E extends IOException> ObjectNode read(Path file, Fault<E> fault)
      throws E, IOException {
    JsonNode root;
    try {
      root = JsonRules.PYTHON.read(file);
    } catch (JsonProcessingException e) {
      FileType type = FileType.of(file);
      String problem =
          type == FileType.JSON
              ? JsonProblems.describe(e)
              : type.problem().orElse(JsonProblems.describe(e));
      throw fault.of(file + ": not a JSON file: " + problem.replaceFirst("^is ", "it is "), e);
    }
    if (root.isMissingNode()) {
      throw fault.of(
          file + ": not a JSON file: it " + FileType.EMPTY.problem().orElseThrow(), null);
    }
    if (!(root instanceof ObjectNode object)) {
      throw fault.of(
          "%s: expected a JSON object {\"name\": value, …}, got %s".formatted(file, kind(root)),
          null);
    }
    return object;
  }

  private static String kind(JsonNode value) {
    return switch (value.getNodeType()) {
      case ARRAY -> "a list";
      case STRING -> "a text";
      case NUMBER -> "a number";
      case BOOLEAN -> "true or false";
      default -> "null";
    };
  }

  /** Texts, booleans, numbers, lists and maps in place of JSON nodes. */
  public static Object plain(JsonNode value) {
    return JSON.convertValue(value, Object.class);
  }
}
