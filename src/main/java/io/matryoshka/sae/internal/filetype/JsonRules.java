package io.matryoshka.sae.internal.filetype;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How a JSON text is read. Either way it holds one value: what came after it would be left out in
 * silence. An empty text gives a missing node.
 */
public enum JsonRules {

  /** What users write, and what this library keeps for itself: no key stands there twice. */
  STRICT(
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()),

  /**
   * What programs of Python publish, as its {@code json} reads it: of a key that stands there twice
   * the last one counts, and NaN and Infinity are numbers, which it writes for floats that never
   * got a value.
   */
  PYTHON(
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build());

  private final ObjectMapper mapper;

  JsonRules(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  /**
   * Reads a file.
   *
   * @param file the file, in UTF-8, with or without a byte order mark
   * @return its value
   * @throws IllegalArgumentException if it is a folder
   * @throws JsonProcessingException if it holds anything else than one value; see {@link
   *     JsonProblems}
   * @throws IOException if it cannot be read
   */
  public JsonNode read(Path file) throws IOException {
    FileType.requireFile(file);
    return parse(Files.readAllBytes(file));
  }

  /**
   * Reads a text.
   *
   * @param json the text, in UTF-8
   * @return its value
   * @throws JsonProcessingException if it is anything else than one value
   * @throws IOException if it is not UTF-8
   */
  public JsonNode parse(byte[] json) throws IOException {
    return mapper.readTree(json);
  }

  /**
   * Reads a text.
   *
   * @param json the text
   * @return its value
   * @throws JsonProcessingException if it is anything else than one value
   */
  public JsonNode parse(String json) throws JsonProcessingException {
    return mapper.readTree(json);
  }
}
