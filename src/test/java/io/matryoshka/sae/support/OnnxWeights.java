package io.matryoshka.sae.support;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The float32 weights in an ONNX file that PyTorch exported, by their names in PyTorch. The
 * exporter keeps those names but for the matrices of linear layers, which it transposes to {@code
 * [in, out]} and numbers; the node that multiplies by one is named after the layer.
 *
 * @see <a href="https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto">onnx.proto</a>
 */
final class OnnxWeights {

  private static final int FLOAT = 1;
  private static final String PRODUCT = "/MatMul";
  private static final ByteBuffer NO_BYTES = ByteBuffer.allocate(0);

  private final Map<String, Weight> byName = new LinkedHashMap<>();
  private final Map<String, String> layers = new HashMap<>();

  /** A weight with its values row by row. */
  record Weight(long[] shape, float[] values) {

    private Weight transposed() {
      int rows = (int) shape[0];
      int columns = (int) shape[1];
      float[] turned = new float[values.length];
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          turned[c * rows + r] = values[r * columns + c];
        }
      }
      return new Weight(new long[] {columns, rows}, turned);
    }
  }

  private OnnxWeights() {}

  static Map<String, Weight> read(byte[] model) {
    OnnxWeights weights = new OnnxWeights();
    fields(
        ByteBuffer.wrap(model),
        (field, number, graph) -> {
          if (field == 7) {
            fields(graph, weights::graphField);
          }
        });
    Map<String, Weight> named = new LinkedHashMap<>();
    weights.byName.forEach(
        (name, weight) -> {
          String layer = weights.layers.get(name);
          named.put(
              layer == null ? name : layer + ".weight",
              layer == null ? weight : weight.transposed());
        });
    return named;
  }

  private void graphField(int field, long number, ByteBuffer bytes) {
    if (field == 1) {
      node(bytes);
    } else if (field == 5) {
      initializer(bytes);
    }
  }

  private void node(ByteBuffer node) {
    List<String> inputs = new ArrayList<>();
    StringBuilder name = new StringBuilder();
    fields(
        node,
        (field, number, bytes) -> {
          if (field == 1) {
            inputs.add(text(bytes));
          } else if (field == 3) {
            name.append(text(bytes));
          }
        });
    if (name.toString().endsWith(PRODUCT)) {
      String path = name.substring(1, name.length() - PRODUCT.length());
      layers.put(inputs.get(1), path.replace('/', '.'));
    }
  }

  private void initializer(ByteBuffer tensor) {
    List<Long> shape = new ArrayList<>();
    Map<Integer, ByteBuffer> parts = new HashMap<>();
    Map<Integer, Long> numbers = new HashMap<>();
    fields(
        tensor,
        (field, number, bytes) -> {
          if (field == 1) {
            shape.add(number);
          } else {
            parts.put(field, bytes);
            numbers.put(field, number);
          }
        });
    if (numbers.get(2) == FLOAT) {
      float[] values = new float[parts.get(9).remaining() / Float.BYTES];
      parts.get(9).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
      long[] sizes = shape.stream().mapToLong(Long::longValue).toArray();
      byName.put(text(parts.get(8)), new Weight(sizes, values));
    }
  }

  /** Takes a field of a protobuf message: its number or its bytes. */
  @FunctionalInterface
  private interface FieldConsumer {
    void accept(int field, long number, ByteBuffer bytes);
  }

  private static void fields(ByteBuffer message, FieldConsumer consumer) {
    while (message.hasRemaining()) {
      long key = varint(message);
      int field = (int) (key >>> 3);
      switch ((int) (key & 7)) {
        case 0 -> consumer.accept(field, varint(message), NO_BYTES);
        case 1 -> message.position(message.position() + Long.BYTES);
        case 2 -> {
          int length = Math.toIntExact(varint(message));
          consumer.accept(field, length, message.slice(message.position(), length));
          message.position(message.position() + length);
        }
        case 5 -> message.position(message.position() + Float.BYTES);
        default -> throw new IllegalArgumentException("no protobuf field: " + key);
      }
    }
  }

  private static long varint(ByteBuffer bytes) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = bytes.get();
      value |= (next & 0x7FL) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }

  private static String text(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
  }
}
