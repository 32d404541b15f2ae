package io.matryoshka.sae.labels;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Reads Neuronpedia's explanations, one JSON object after the other. Of each only the fields that a
 * label needs are kept; an embedding of hundreds of numbers is passed over.
 */
final class ExplanationParser {

  /** No SAE has as many latents. */
  static final int MAX_LATENT = (1 << 24) - 1;

  private static final JsonFactory FACTORY = new JsonFactory();
  private static final Set<String> FIELDS =
      Set.of("index", "description", "explanationModelName", "typeName", "authorId", "createdAt");
  private static final int DAY_CHARACTERS = 10;

  private ExplanationParser() {}

  /** Hands each explanation that has a text to a consumer. */
  static void parse(InputStream lines, String source, Consumer<Label> labels) throws IOException {
    try (JsonParser parser = FACTORY.createParser(lines)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token != JsonToken.START_OBJECT) {
          throw new LabelException(source + ": expected one JSON object a line, got " + token);
        }
        label(fields(parser), source).ifPresent(labels);
      }
    } catch (JsonProcessingException e) {
      throw new LabelException(source + ": is not JSON: " + JsonProblems.describe(e), e);
    }
  }

  private static Map<String, String> fields(JsonParser parser) throws IOException {
    Map<String, String> fields = new HashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (FIELDS.contains(name) && value.isScalarValue() && value != JsonToken.VALUE_NULL) {
        fields.put(name, parser.getText());
      } else {
        parser.skipChildren();
      }
    }
    return fields;
  }

  static Optional<Label> label(Map<String, String> fields, String source) throws LabelException {
    String text = fields.getOrDefault("description", "");
    if (text.isBlank()) {
      return Optional.empty();
    }
    try {
      int latent = Integer.parseInt(fields.getOrDefault("index", ""));
      if (latent > MAX_LATENT) {
        throw new IllegalArgumentException("latent " + latent + " is beyond " + MAX_LATENT);
      }
      return Optional.of(
          new Label(
              latent,
              text,
              Optional.ofNullable(fields.get("explanationModelName")),
              Optional.ofNullable(fields.get("typeName")),
              Optional.ofNullable(fields.get("authorId")),
              Optional.ofNullable(fields.get("createdAt"))
                  .map(day -> day.substring(0, Math.min(DAY_CHARACTERS, day.length())))));
    } catch (IllegalArgumentException e) {
      throw new LabelException(
          source + ": an explanation without the index of a latent: " + fields.get("index"), e);
    }
  }
}
