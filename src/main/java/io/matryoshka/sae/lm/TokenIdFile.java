package io.matryoshka.sae.lm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.internal.filetype.FileType;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import io.matryoshka.sae.internal.filetype.JsonRules;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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
    FileType.requireFile(file);
    JsonNode root;
    byte[] content = Files.readAllBytes(file);
    try {
      root = JsonRules.STRICT.parse(content);
    } catch (JsonProcessingException e) {
      String problem =
          linesProblem(content)
              .map(lines -> file + ": " + lines)
              .orElseGet(() -> JsonProblems.describe(file.toString(), e));
      throw new IllegalArgumentException(problem, e);
    }
    if (!root.isArray() || root.isEmpty()) {
      throw new IllegalArgumentException(
          file + ": expected a JSON list of lists of token ids, one for each text");
    }
    List<Tokens> texts = new ArrayList<>();
    if (!root.get(0).isArray()) {
      return List.of(text(file.toString(), root));
    }
    for (JsonNode text : root) {
      texts.add(text(file + ", " + Requirements.numbered(texts.size()), text));
    }
    return texts;
  }

  /** What to say of a file of JSON Lines, in which each line is a JSON value of its own. */
  private static Optional<String> linesProblem(byte[] content) {
    List<String> lines =
        new String(content, StandardCharsets.UTF_8).lines().filter(l -> !l.isBlank()).toList();
    boolean alike = lines.stream().skip(1).allMatch(l -> "[{\"".indexOf(l.strip().charAt(0)) >= 0);
    if (lines.size() < 2 || !alike) {
      return Optional.empty();
    }
    try {
      JsonNode first = JsonRules.STRICT.parse(InputFiles.withoutByteOrderMark(lines.get(0)));
      return Optional.of(
          first.isArray()
              ? "holds a list on each of its %d lines, and one JSON value was expected: put all of them into one outer list, [[2, 651], [2, 708]]"
                  .formatted(lines.size())
              : "holds a JSON value on each of its %d lines, and one list of lists of token ids was expected; documents in a .jsonl file are read as text files are (--text-file)"
                  .formatted(lines.size()));
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  private static Tokens text(String name, JsonNode list) {
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      JsonNode id = list.get(i);
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
        throw new IllegalArgumentException(
            "%s, position %d: expected a token id, got %s".formatted(name, i, id));
      }
      ids[i] = id.intValue();
    }
    if (!list.isArray() || ids.length == 0) {
      throw new IllegalArgumentException(
          "%s: expected a list of token ids, got %s".formatted(name, list));
    }
    return Tokens.of(ids).from(name);
  }
}
