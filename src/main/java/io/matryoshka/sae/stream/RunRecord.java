package io.matryoshka.sae.stream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.filetype.JsonRules;
import java.io.UncheckedIOException;
import java.util.Optional;

/**
 * The JSON texts that say which run a folder holds: {@code checkpoint.json}, {@code index.json}.
 */
final class RunRecord {

  private static final String FORMAT = "matryoshka-sae/encode-run";
  private static final int VERSION = 1;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ObjectWriter PRETTY =
      JSON.writer(
          new DefaultPrettyPrinter()
              .withObjectIndenter(new DefaultIndenter("  ", "\n"))
              .withArrayIndenter(new DefaultIndenter("  ", "\n")));

  private RunRecord() {}

  /** What both files begin with. */
  static ObjectNode header(String saeName, ObjectNode settings) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("format", FORMAT);
    json.put("format_version", VERSION);
    json.put("sae_name", saeName);
    json.set("settings", settings);
    return json;
  }

  static String text(ObjectNode json) {
    try {
      return PRETTY.writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException("JSON cannot be written in memory", e);
    }
  }

  /** Reads a file of either kind, of whichever settings. */
  static JsonNode parse(String name, String text) throws EncodeRunException {
    JsonNode json;
    try {
      json = JsonRules.STRICT.parse(text);
    } catch (JsonProcessingException e) {
      throw new EncodeRunException(
          name
              + ": is not the JSON that an encode run writes; use another folder, or delete this file",
          e);
    }
    if (!json.path("format").asText().equals(FORMAT)
        || json.path("format_version").asInt() != VERSION) {
      throw new EncodeRunException(
          "%s: expected format '%s' version %s, got '%s' version %s; use another folder"
              .formatted(
                  name,
                  FORMAT,
                  VERSION,
                  json.path("format").asText(),
                  json.path("format_version").asText()));
    }
    return json;
  }

  static void requireSame(String name, JsonNode before, ObjectNode settings)
      throws EncodeRunException {
    Optional<String> difference = RunSettings.difference(before.path("settings"), settings);
    if (difference.isPresent()) {
      throw new EncodeRunException(
          ("%s: the folder holds a run with other settings: %s; use another folder,"
                  + " or restart (--restart) to delete that run")
              .formatted(name, difference.get()));
    }
  }
}
