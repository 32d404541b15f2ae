package io.matryoshka.sae.internal.torchzip;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes pickles opcode by opcode, as {@code torch.save} does, and wrongly on purpose. */
final class PickleWriter {

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  PickleWriter() {
    raw(0x80, 2);
  }

  static PickleWriter dictionary() {
    return new PickleWriter().raw('}', '(');
  }

  PickleWriter raw(int... values) {
    for (int value : values) {
      bytes.write(value);
    }
    return this;
  }

  PickleWriter text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return raw('X').int32(utf8.length).raw(utf8);
  }

  PickleWriter name(String module, String name) {
    return raw('c').raw((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
  }

  PickleWriter whole(long value) {
    if (value >= 0 && value < 256) {
      return raw('K', (int) value);
    }
    return raw(0x8a, 8).raw(littleEndian(8).putLong(0, value).array());
  }

  PickleWriter int32(int value) {
    return raw(littleEndian(4).putInt(0, value).array());
  }

  private static ByteBuffer littleEndian(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private PickleWriter raw(byte[] more) {
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.write(more);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  PickleWriter tuple(long... values) {
    raw('(');
    for (long value : values) {
      whole(value);
    }
    return raw('t');
  }

  PickleWriter storage(String type, String key, long count) {
    return raw('(')
        .text("storage")
        .name("torch", type)
        .text(key)
        .text("cpu")
        .whole(count)
        .raw('t', 'Q');
  }

  /** A tensor as {@code torch.save} writes it. */
  PickleWriter tensor(
      String type, String key, long count, long offset, long[] shape, long[] strides) {
    name("torch._utils", "_rebuild_tensor_v2").raw('(').storage(type, key, count).whole(offset);
    return tuple(shape)
        .tuple(strides)
        .raw(0x89)
        .name("collections", "OrderedDict")
        .raw(')', 'R', 't', 'R');
  }

  byte[] endDictionary() {
    return raw('u').end();
  }

  byte[] end() {
    raw('.');
    return bytes.toByteArray();
  }
}
