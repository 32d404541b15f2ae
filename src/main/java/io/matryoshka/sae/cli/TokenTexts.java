package io.matryoshka.sae.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The texts of tokens, one for each row of the activations: a JSON list of texts, a JSON list or
 * {@code tokens} field of objects with a {@code token}, or lines of a text file.
 */
final class TokenTexts {

  private TokenTexts() {}

  /** Reads a file; the name ends in {@code .json} if it is JSON. */
  static List<String> read(Path file) throws IOException {
    try {
      if (!file.getFileName().toString().endsWith(".json")) {
        return Files.readAllLines(file);
      }
      JsonNode root = new ObjectMapper().readTree(Files.readString(file));
      return texts(file, root.isObject() ? root.path("tokens") : root);
    } catch (MalformedInputException e) {
      throw new IllegalArgumentException(file + ": expected UTF-8 text", e);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(file + ": not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static List<String> texts(Path file, JsonNode list) {
    List<String> texts = new ArrayList<>();
    for (JsonNode item : list) {
      JsonNode text = item.isObject() ? item.path("token") : item;
      if (!text.isTextual()) {
        throw new IllegalArgumentException(
            "%s: token %d: expected a text, or an object with a text 'token', got %s"
                .formatted(file, texts.size(), item));
      }
      texts.add(text.textValue());
    }
    if (texts.isEmpty()) {
      throw new IllegalArgumentException(
          file + ": expected a JSON list of tokens, or an object with such a list 'tokens'");
    }
    return texts;
  }
}
