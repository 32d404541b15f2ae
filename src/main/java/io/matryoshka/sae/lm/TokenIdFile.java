package io.matryoshka.sae.lm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads token ids from JSON: a list of ids, or a list of such lists, one for each text. */
public final class TokenIdFile {

  private TokenIdFile() {}

  /**
   * Reads a file.
   *
   * @param file the file
   * @return the tokens of each text, as they are: no BOS is added
   * @throws IllegalArgumentException if the file holds anything else, or no text
   * @throws IOException if it cannot be read
   */
  public static List<Tokens> read(Path file) throws IOException {
    InputFiles.requireFile(file);
    JsonNode root;
    try {
      root = InputFiles.JSON.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(file + ": not JSON: " + JsonProblems.describe(e), e);
    }
    if (!root.isArray() || root.isEmpty()) {
      throw new IllegalArgumentException(
          file + ": expected a JSON list of lists of token ids, one for each text");
    }
    List<Tokens> texts = new ArrayList<>();
    if (!root.get(0).isArray()) {
      return List.of(text(file, root, 0));
    }
    for (JsonNode text : root) {
      texts.add(text(file, text, texts.size()));
    }
    return texts;
  }

  private static Tokens text(Path file, JsonNode list, int index) {
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      JsonNode id = list.get(i);
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
        throw new IllegalArgumentException(
            "%s: text %d, position %d: expected a token id, got %s".formatted(file, index, i, id));
      }
      ids[i] = id.intValue();
    }
    if (!list.isArray() || ids.length == 0) {
      throw new IllegalArgumentException(
          "%s: text %d: expected a list of token ids, got %s".formatted(file, index, list));
    }
    return Tokens.of(ids);
  }
}
