package io.matryoshka.sae.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Parses the JSON of a header with the strictness of the reference's JSON library, without any
 * judgement on sizes and offsets. Unknown keys of a description are skipped, but checked.
 *
 * <p>The stream is decoded and parsed as it is read; nothing is allocated by an announced size.
 */
final class HeaderParser {

  /** The reference refuses the 128th level of nesting. */
  private static final int MAX_DEPTH = 127;

  private static final String METADATA_KEY = SafetensorsHeader.METADATA_KEY;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNameLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private final JsonParser json;
  private final String source;
  private final Map<String, RawTensor> tensors = new HashMap<>();
  private Map<String, String> metadata = Map.of();

  private HeaderParser(JsonParser json, String source) {
    this.json = json;
    this.source = source;
  }

  /** Parses a whole header; the stream ends where the header ends. */
  static HeaderParser parse(InputStream header, String source) throws IOException {
    InputStreamReader reader =
        new InputStreamReader(header, StandardCharsets.UTF_8.newDecoder()); // reports bad bytes
    try (JsonParser json = JSON.createParser(reader)) {
      HeaderParser parser = new HeaderParser(json, source);
      parser.parseTop();
      return parser;
    } catch (CharacterCodingException e) {
      throw new SafetensorsException(source + ": header is not valid UTF-8", e);
    } catch (JsonProcessingException e) {
      throw new SafetensorsException(
          source
              + ": header is not valid JSON at character "
              + (e.getLocation() == null ? 0 : e.getLocation().getCharOffset())
              + ": "
              + JsonProblems.describe(e),
          e);
    }
  }

  Map<String, RawTensor> tensors() {
    return tensors;
  }

  Map<String, String> metadata() {
    return metadata;
  }

  private void parseTop() throws IOException {
    if (json.nextToken() != JsonToken.START_OBJECT) {
      throw fault("header must be a JSON object, got " + describeToken());
    }
    boolean metadataSeen = false;
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = text();
      json.nextToken();
      if (!key.equals(METADATA_KEY)) {
        tensors.put(key, new TensorParser(this, key).parse()); // the last of equal keys wins
      } else if (metadataSeen) {
        throw fault("duplicate key " + METADATA_KEY);
      } else {
        metadataSeen = true;
        metadata = parseMetadata();
      }
    }
    if (json.nextToken() != null) {
      throw fault("header must end after its JSON object, got " + describeToken());
    }
  }

  private Map<String, String> parseMetadata() throws IOException {
    Map<String, String> map = new HashMap<>();
    if (json.currentToken() == JsonToken.VALUE_NULL) {
      return map;
    }
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw fault(METADATA_KEY + " must be an object of strings, got " + describeToken());
    }
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = text();
      if (json.nextToken() != JsonToken.VALUE_STRING) {
        throw fault(
            METADATA_KEY + " entry \"" + key + "\" must be a string, got " + describeToken());
      }
      map.put(key, text());
    }
    return map;
  }

  JsonToken next() throws IOException {
    return json.nextToken();
  }

  JsonToken current() {
    return json.currentToken();
  }

  /** Returns the text of the current key, string or number; refuses escaped lone surrogates. */
  String text() throws IOException {
    String text = json.getText();
    if (!Surrogates.arePaired(text)) {
      throw fault("a string of the header holds the escape of a lone surrogate");
    }
    return text;
  }

  /** Skips the current value, checking its strings and numbers as the reference does. */
  void skipValue() throws IOException {
    int depth = 0;
    while (true) {
      JsonToken token = json.currentToken();
      if (token == null) {
        throw fault("header ends inside a value");
      }
      if (token == JsonToken.FIELD_NAME || token == JsonToken.VALUE_STRING) {
        text();
      } else if (token.isNumeric() && Double.isInfinite(Double.parseDouble(json.getText()))) {
        throw fault("number out of range: " + shorten(json.getText()));
      }
      depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
      if (depth == 0) {
        return;
      }
      json.nextToken();
    }
  }

  String describeToken() throws IOException {
    JsonToken token = json.currentToken();
    if (token == null) {
      return "the end of the header";
    }
    if (token.isScalarValue()) {
      return (token == JsonToken.VALUE_STRING ? "string " : "") + shorten(json.getText());
    }
    return token.isStructStart()
        ? (token == JsonToken.START_ARRAY ? "an array" : "an object")
        : token.asString();
  }

  SafetensorsException fault(String message) {
    return new SafetensorsException(
        "%s: %s (character %s of the header)"
            .formatted(source, message, json.currentTokenLocation().getCharOffset()));
  }

  static String shorten(String text) {
    int limit = 60;
    return text.length() <= limit ? text : text.substring(0, limit) + "...";
  }
}
