package io.matryoshka.sae.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The opening bytes of a file, length field included, and the places of its tensors.
 *
 * @param tensors the tensors in the order of their bytes
 * @param bytes the length field and the header, padded with spaces to a multiple of 8 bytes
 */
record HeaderFormat(List<TensorInfo> tensors, byte[] bytes) {

  /** The body starts at a multiple of this, so that every element is aligned. */
  private static final int ALIGNMENT = 8;

  private static final JsonFactory JSON = new JsonFactory();

  /** Lays tensors out by descending dtype, then by name, and formats the header. */
  static HeaderFormat of(Collection<TensorInfo> declared, Map<String, String> metadata) {
    List<TensorInfo> tensors = layOut(declared);
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    try (JsonGenerator generator = JSON.createGenerator(json)) {
      write(generator, tensors, metadata);
    } catch (IOException e) {
      throw new UncheckedIOException("header cannot be formatted in memory", e);
    }
    int padded = Math.floorDiv(json.size() + ALIGNMENT - 1, ALIGNMENT) * ALIGNMENT;
    if (padded > SafetensorsHeader.MAX_HEADER_BYTES) {
      throw new IllegalArgumentException(
          ("the header takes %s bytes, at most %s are allowed; declare fewer tensors"
                  + " or less metadata")
              .formatted(padded, SafetensorsHeader.MAX_HEADER_BYTES));
    }
    byte[] bytes = new byte[SafetensorsHeader.LENGTH_BYTES + padded];
    Arrays.fill(bytes, (byte) ' ');
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(json.toByteArray());
    return new HeaderFormat(tensors, bytes);
  }

  /** Describes a tensor whose place is not known yet. */
  static TensorInfo declare(String name, Dtype dtype, long... shape) {
    for (long dimension : shape) {
      if (dimension < 0) {
        throw new IllegalArgumentException(
            "tensor \"%s\": dimensions must not be negative, got %s"
                .formatted(name, Arrays.toString(shape)));
      }
    }
    long size;
    try {
      size = Sizes.byteCount(dtype, shape);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("tensor \"%s\": %s".formatted(name, e.getMessage()), e);
    }
    return new TensorInfo(name, dtype, shape, 0, size);
  }

  static String requireWellFormed(String text) {
    if (!Surrogates.arePaired(Objects.requireNonNull(text, "text"))) {
      throw new IllegalArgumentException("names and metadata must not hold lone surrogates");
    }
    return text;
  }

  private static List<TensorInfo> layOut(Collection<TensorInfo> declared) {
    List<TensorInfo> sorted = new ArrayList<>(declared);
    sorted.sort(
        Comparator.comparing(TensorInfo::dtype)
            .reversed()
            .thenComparing(HeaderFormat::utf8, Arrays::compareUnsigned));
    long next = 0;
    for (int i = 0; i < sorted.size(); i++) {
      TensorInfo info = sorted.get(i);
      long end = next + info.byteCount();
      if (end < 0) {
        throw new IllegalArgumentException("the tensors take 2^63 bytes or more together");
      }
      sorted.set(i, new TensorInfo(info.name(), info.dtype(), info.shape(), next, end));
      next = end;
    }
    return List.copyOf(sorted);
  }

  private static byte[] utf8(TensorInfo info) {
    return info.name().getBytes(StandardCharsets.UTF_8);
  }

  private static void write(
      JsonGenerator json, List<TensorInfo> tensors, Map<String, String> metadata)
      throws IOException {
    json.writeStartObject();
    if (!metadata.isEmpty()) {
      json.writeObjectFieldStart(SafetensorsHeader.METADATA_KEY);
      for (Map.Entry<String, String> entry : metadata.entrySet()) {
        json.writeStringField(entry.getKey(), entry.getValue());
      }
      json.writeEndObject();
    }
    for (TensorInfo info : tensors) {
      json.writeObjectFieldStart(info.name());
      json.writeStringField("dtype", info.dtype().name());
      json.writeFieldName("shape");
      json.writeArray(info.shape(), 0, info.rank());
      json.writeFieldName("data_offsets");
      json.writeArray(new long[] {info.begin(), info.end()}, 0, 2);
      json.writeEndObject();
    }
    json.writeEndObject();
  }
}
