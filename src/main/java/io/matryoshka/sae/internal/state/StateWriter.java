package io.matryoshka.sae.internal.state;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** Gathers the numbers of a state, and writes them with what they belong to and a checksum. */
public final class StateWriter {

  private static final int FIRST_BYTES = 1 << 12;
  private static final int MAX_BYTES = Integer.MAX_VALUE - 8;

  private final String kind;
  private final JsonNode settings;
  private ByteBuffer body = ByteBuffer.allocate(FIRST_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  /**
   * Starts without numbers.
   *
   * @param kind what the state is of
   * @param settings what it belongs to; a reader with other settings refuses it
   */
  public StateWriter(String kind, JsonNode settings) {
    this.kind = kind;
    this.settings = settings;
  }

  /**
   * Adds a number.
   *
   * @param value the number
   */
  public void add(int value) {
    room(Integer.BYTES).putInt(value);
  }

  /**
   * Adds a number.
   *
   * @param value the number
   */
  public void add(long value) {
    room(Long.BYTES).putLong(value);
  }

  /**
   * Adds a number.
   *
   * @param value the number
   */
  public void add(double value) {
    room(Double.BYTES).putDouble(value);
  }

  /**
   * Adds numbers without their count.
   *
   * @param values the array
   * @param from index of the first
   * @param count how many
   */
  public void add(float[] values, int from, int count) {
    ByteBuffer target = room((long) count * Float.BYTES);
    target.asFloatBuffer().put(values, from, count);
    target.position(target.position() + count * Float.BYTES);
  }

  /**
   * Adds numbers without their count.
   *
   * @param values the array
   * @param from index of the first
   * @param count how many
   */
  public void add(long[] values, int from, int count) {
    ByteBuffer target = room((long) count * Long.BYTES);
    target.asLongBuffer().put(values, from, count);
    target.position(target.position() + count * Long.BYTES);
  }

  /**
   * Adds numbers without their count.
   *
   * @param values all are added
   */
  public void add(double[] values) {
    ByteBuffer target = room((long) values.length * Double.BYTES);
    target.asDoubleBuffer().put(values);
    target.position(target.position() + values.length * Double.BYTES);
  }

  private ByteBuffer room(long bytes) {
    if (bytes > body.remaining()) {
      long needed = body.position() + bytes;
      if (needed > MAX_BYTES) {
        throw new IllegalArgumentException(
            "a state of %s takes %d bytes, at most %d can be written; keep less"
                .formatted(kind, needed, MAX_BYTES));
      }
      int grown = (int) Math.min(MAX_BYTES, Math.max(needed, 2L * body.capacity()));
      byte[] copy = Arrays.copyOf(body.array(), grown);
      body = ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).position(body.position());
    }
    return body;
  }

  /**
   * Writes the state.
   *
   * @param out the target; stays open
   * @throws IOException if it cannot be written
   */
  public void writeTo(OutputStream out) throws IOException {
    byte[] name = kind.getBytes(StandardCharsets.UTF_8);
    byte[] text = settings.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer head =
        ByteBuffer.allocate(StateFormat.HEAD_BYTES + name.length + text.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(StateFormat.MAGIC)
            .putInt(StateFormat.VERSION)
            .putInt(name.length)
            .putInt(text.length)
            .putInt(body.position())
            .put(name)
            .put(text);
    CRC32C crc = new CRC32C();
    crc.update(head.array());
    crc.update(body.array(), 0, body.position());
    out.write(head.array());
    out.write(body.array(), 0, body.position());
    out.write(
        ByteBuffer.allocate(Integer.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt((int) crc.getValue())
            .array());
  }
}
