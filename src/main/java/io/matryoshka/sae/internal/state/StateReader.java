package io.matryoshka.sae.internal.state;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.stream.RunSettings;
import io.matryoshka.sae.stream.StateException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Reads what {@link StateWriter} wrote. Every byte is checked before the first number is handed
 * out, so that a damaged count sizes no array.
 */
public final class StateReader {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final String kind;
  private final ByteBuffer body;

  private StateReader(String kind, ByteBuffer body) {
    this.kind = kind;
    this.body = body;
  }

  /**
   * Reads a state.
   *
   * @param in begins with the state; is read to its end and no further, and stays open
   * @param kind what the state must be of
   * @param settings what it must belong to
   * @return the numbers
   * @throws StateException if it is damaged, cut off, or not the state expected
   * @throws IOException if it cannot be read
   */
  public static StateReader read(InputStream in, String kind, JsonNode settings)
      throws IOException {
    CRC32C crc = new CRC32C();
    ByteBuffer head = next(in, StateFormat.HEAD_BYTES, kind, crc);
    if (head.getLong() != StateFormat.MAGIC) {
      throw new StateException(
          "is not a saved state of %s: it does not begin as one; give the file that was saved"
              .formatted(kind));
    }
    int version = head.getInt();
    if (version != StateFormat.VERSION) {
      throw new StateException(
          "saved state of %s: has version %d, expected %d; use one version of this library throughout a run"
              .formatted(kind, version, StateFormat.VERSION));
    }
    int nameBytes = head.getInt();
    int settingsBytes = head.getInt();
    int bodyBytes = head.getInt();
    if (nameBytes < 0 || settingsBytes < 0 || bodyBytes < 0) {
      throw damaged(kind);
    }
    ByteBuffer name = next(in, nameBytes, kind, crc);
    ByteBuffer text = next(in, settingsBytes, kind, crc);
    ByteBuffer body = next(in, bodyBytes, kind, crc);
    int expected = (int) crc.getValue();
    if (next(in, Integer.BYTES, kind, crc).getInt() != expected) {
      throw damaged(kind);
    }
    requireSame(kind, utf8(name), settings, utf8(text));
    return new StateReader(kind, body);
  }

  private static ByteBuffer next(InputStream in, int bytes, String kind, CRC32C crc)
      throws IOException {
    byte[] read = in.readNBytes(bytes);
    if (read.length < bytes) {
      throw new StateException(
          "saved state of %s: is cut off; save it again, or run that part again".formatted(kind));
    }
    crc.update(read);
    return ByteBuffer.wrap(read).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static StateException damaged(String kind) {
    return new StateException(
        "saved state of %s: is damaged, its checksum does not fit; run that part again"
            .formatted(kind));
  }

  private static String utf8(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes).toString();
  }

  private static void requireSame(String kind, String found, JsonNode settings, String text)
      throws IOException {
    if (!found.equals(kind)) {
      throw new StateException(
          "saved state: expected one of %s, got one of %s".formatted(kind, found));
    }
    Optional<String> difference =
        RunSettings.difference(JSON.readTree(text), JSON.readTree(settings.toString()));
    if (difference.isPresent()) {
      throw new StateException(
          "saved state of %s: is of other settings: %s; give what it was saved with"
              .formatted(kind, difference.get()));
    }
  }

  /**
   * Returns the next number.
   *
   * @return the number
   * @throws StateException if there is none
   */
  public int nextInt() throws StateException {
    return room(Integer.BYTES).getInt();
  }

  /**
   * Returns the next number, which counts something.
   *
   * @param most the largest count that makes sense
   * @return the number, from 0
   * @throws StateException if there is none, or it is out of range
   */
  public int nextCount(int most) throws StateException {
    int count = nextInt();
    if (count < 0 || count > most) {
      throw new StateException(
          "saved state of %s: expected a count in 0..%d, got %d".formatted(kind, most, count));
    }
    return count;
  }

  /**
   * Returns the next number.
   *
   * @return the number
   * @throws StateException if there is none
   */
  public long nextLong() throws StateException {
    return room(Long.BYTES).getLong();
  }

  /**
   * Returns the next number.
   *
   * @return the number
   * @throws StateException if there is none
   */
  public double nextDouble() throws StateException {
    return room(Double.BYTES).getDouble();
  }

  /**
   * Puts the next numbers into an array.
   *
   * @param target the array
   * @param from index of the first
   * @param count how many
   * @throws StateException if there are fewer
   */
  public void next(float[] target, int from, int count) throws StateException {
    ByteBuffer source = room((long) count * Float.BYTES);
    source.asFloatBuffer().get(target, from, count);
    source.position(source.position() + count * Float.BYTES);
  }

  /**
   * Puts the next numbers into an array.
   *
   * @param target the array
   * @param from index of the first
   * @param count how many
   * @throws StateException if there are fewer
   */
  public void next(long[] target, int from, int count) throws StateException {
    ByteBuffer source = room((long) count * Long.BYTES);
    source.asLongBuffer().get(target, from, count);
    source.position(source.position() + count * Long.BYTES);
  }

  /**
   * Fills an array with the next numbers.
   *
   * @param target the array
   * @throws StateException if there are fewer
   */
  public void next(double[] target) throws StateException {
    ByteBuffer source = room((long) target.length * Double.BYTES);
    source.asDoubleBuffer().get(target);
    source.position(source.position() + target.length * Double.BYTES);
  }

  /**
   * Checks that all numbers have been taken.
   *
   * @throws StateException if some are left
   */
  public void end() throws StateException {
    if (body.hasRemaining()) {
      throw new StateException(
          "saved state of %s: has %d bytes too many".formatted(kind, body.remaining()));
    }
  }

  private ByteBuffer room(long bytes) throws StateException {
    if (bytes > body.remaining()) {
      throw new StateException("saved state of %s: holds too few numbers".formatted(kind));
    }
    return body;
  }
}
