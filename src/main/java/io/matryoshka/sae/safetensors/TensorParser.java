package io.matryoshka.sae.safetensors;

import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.Arrays;

/**
 * Parses the description of one tensor: {@code {"dtype":"F32","shape":[2],"data_offsets":[0,8]}}.
 */
final class TensorParser {

  private final HeaderParser json;
  private final String name;
  private Dtype dtype;
  private long[] shape;
  private long[] offsets;

  TensorParser(HeaderParser json, String name) {
    this.json = json;
    this.name = name;
  }

  /** Parses the value at the current token. */
  RawTensor parse() throws IOException {
    if (json.current() == JsonToken.START_OBJECT) {
      parseObject();
    } else if (json.current() == JsonToken.START_ARRAY) {
      parseArray();
    } else {
      throw fault("description must be an object, got " + json.describeToken());
    }
    return new RawTensor(name, dtype, shape, offsets[0], offsets[1]);
  }

  private void parseObject() throws IOException {
    while (json.next() != JsonToken.END_OBJECT) {
      String key = json.text();
      json.next();
      switch (key) {
        case "dtype" -> {
          requireFirst(dtype == null, key);
          parseDtype();
        }
        case "shape" -> {
          requireFirst(shape == null, key);
          parseShape();
        }
        case "data_offsets" -> {
          requireFirst(offsets == null, key);
          parseOffsets();
        }
        default -> json.skipValue();
      }
    }
    requirePresent(dtype != null, "dtype");
    requirePresent(shape != null, "shape");
    requirePresent(offsets != null, "data_offsets");
  }

  /** The reference takes the three values in an array too; no writer makes such a file. */
  private void parseArray() throws IOException {
    json.next();
    parseDtype();
    json.next();
    parseShape();
    json.next();
    parseOffsets();
    if (json.next() != JsonToken.END_ARRAY) {
      throw fault("description written as an array must have three values");
    }
  }

  private void parseDtype() throws IOException {
    if (json.current() == JsonToken.VALUE_STRING) {
      dtype = findDtype();
      return;
    }
    // The reference takes {"F32":null} too; no writer makes such a file.
    if (json.current() != JsonToken.START_OBJECT || json.next() != JsonToken.FIELD_NAME) {
      throw fault("dtype must be a string, got " + json.describeToken());
    }
    dtype = findDtype();
    if (json.next() != JsonToken.VALUE_NULL || json.next() != JsonToken.END_OBJECT) {
      throw fault("dtype must be a string, got an object");
    }
  }

  private Dtype findDtype() throws IOException {
    String given = json.text();
    return Dtype.find(given)
        .orElseThrow(
            () ->
                fault(
                    "unknown dtype \""
                        + HeaderParser.shorten(given)
                        + "\"; known: "
                        + Arrays.toString(Dtype.values())));
  }

  private void parseShape() throws IOException {
    requireArray("shape");
    long[] dimensions = new long[4];
    int rank = 0;
    while (json.next() != JsonToken.END_ARRAY) {
      if (rank == dimensions.length) {
        dimensions = Arrays.copyOf(dimensions, 2 * rank);
      }
      dimensions[rank++] = parseUnsigned("shape");
    }
    shape = Arrays.copyOf(dimensions, rank);
  }

  private void parseOffsets() throws IOException {
    requireArray("data_offsets");
    long[] pair = new long[2];
    for (int i = 0; i < pair.length; i++) {
      json.next();
      pair[i] = parseUnsigned("data_offsets");
    }
    if (json.next() != JsonToken.END_ARRAY) {
      throw fault("data_offsets must have two values, got more");
    }
    offsets = pair;
  }

  private long parseUnsigned(String field) throws IOException {
    if (json.current() == JsonToken.VALUE_NUMBER_INT) {
      String digits = json.text();
      try {
        if (!digits.startsWith("-")) {
          return Long.parseUnsignedLong(digits);
        }
      } catch (NumberFormatException e) {
        // 2^64 or more: refused below, with the value in the message
      }
    }
    throw fault(field + " must hold integers from 0 to 2^64 - 1, got " + json.describeToken());
  }

  private void requireArray(String field) throws IOException {
    if (json.current() != JsonToken.START_ARRAY) {
      throw fault(field + " must be an array of integers, got " + json.describeToken());
    }
  }

  private void requireFirst(boolean first, String field) throws SafetensorsException {
    if (!first) {
      throw fault("duplicate key " + field);
    }
  }

  private void requirePresent(boolean present, String field) throws SafetensorsException {
    if (!present) {
      throw fault("key " + field + " is missing");
    }
  }

  private SafetensorsException fault(String message) {
    return json.fault("tensor \"" + HeaderParser.shorten(name) + "\": " + message);
  }
}
