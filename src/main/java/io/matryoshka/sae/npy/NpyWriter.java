package io.matryoshka.sae.npy;

import io.matryoshka.sae.internal.io.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Writes one array of 32-bit floats, streamed in row-major order in chunks of any size.
 *
 * <p>The bytes go to a temporary file beside the target; {@link #finish} renames it over the target
 * in one step, and {@link #close} without {@code finish} leaves nothing behind. Not safe for use by
 * several threads at the same time.
 */
public final class NpyWriter implements AutoCloseable {

  /** NumPy aligns the first element to this many bytes. */
  private static final int ALIGNMENT = 64;

  /** NumPy reads no array of more dimensions. */
  private static final int MAX_RANK = 64;

  private static final int CHUNK_FLOATS = 1 << 14;

  private final Path target;
  private final AtomicFile file;
  private final long elements;
  private final ByteBuffer chunk =
      ByteBuffer.allocateDirect(CHUNK_FLOATS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private long written;
  private boolean finished;

  private NpyWriter(Path target, AtomicFile file, long elements) {
    this.target = target;
    this.file = file;
    this.elements = elements;
  }

  /**
   * Creates the temporary file and writes the header.
   *
   * @param target the file to be, in an existing directory; replaced on {@link #finish}
   * @param shape the dimensions, none for a scalar
   * @return the writer, to be closed by the caller
   * @throws IllegalArgumentException if a dimension is negative, there are more than 64, or the
   *     size overflows 64 bits
   * @throws IOException if the file cannot be created
   */
  public static NpyWriter create(Path target, long... shape) throws IOException {
    long elements = elementCount(shape);
    NpyWriter writer = new NpyWriter(target, AtomicFile.create(target), elements);
    try {
      writer.file.writeFully(header(shape));
      return writer;
    } catch (IOException e) {
      try {
        writer.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private static long elementCount(long[] shape) {
    if (shape.length > MAX_RANK) {
      throw new IllegalArgumentException(
          "an array has at most %s dimensions, got %s".formatted(MAX_RANK, shape.length));
    }
    long elements = 1;
    for (long dimension : shape) {
      if (dimension < 0) {
        throw new IllegalArgumentException(
            "dimensions must not be negative, got " + Arrays.toString(shape));
      }
      elements = multiply(elements, dimension, shape);
    }
    multiply(elements, Float.BYTES, shape);
    return elements;
  }

  private static long multiply(long left, long right, long[] shape) {
    try {
      return Math.multiplyExact(left, right);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "size of shape " + Arrays.toString(shape) + " overflows 64 bits", e);
    }
  }

  private static byte[] header(long[] shape) {
    String dimensions =
        Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
    String dictionary =
        String.format(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (%s%s), }",
            dimensions, shape.length == 1 ? "," : "");
    int start = NpyFile.MAGIC.length + 2 + Short.BYTES;
    int size = Math.floorDiv(start + dictionary.length() + ALIGNMENT, ALIGNMENT) * ALIGNMENT;
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) ' ');
    bytes[size - 1] = '\n';
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(NpyFile.MAGIC)
        .put((byte) 1)
        .put((byte) 0)
        .putShort((short) (size - start))
        .put(dictionary.getBytes(StandardCharsets.ISO_8859_1));
    return bytes;
  }

  /**
   * Appends elements.
   *
   * @param values the array
   * @param offset the index of the first element to write
   * @param count the number of elements to write
   * @throws IllegalArgumentException if the array in the file has less room left
   * @throws IndexOutOfBoundsException if the part is not within {@code values}
   * @throws IllegalStateException if the file is finished or closed
   * @throws IOException if the elements cannot be written
   */
  public void write(float[] values, int offset, int count) throws IOException {
    Objects.checkFromIndexSize(offset, count, values.length);
    requireOpen();
    if (count > elements - written) {
      throw new IllegalArgumentException(
          String.format(
              "%s: array of %d elements has room for %d more, got %d",
              target, elements, elements - written, count));
    }
    for (int done = 0; done < count; ) {
      int n = Math.min(CHUNK_FLOATS, count - done);
      chunk.clear();
      chunk.asFloatBuffer().put(values, offset + done, n);
      file.append(chunk.limit(n * Float.BYTES));
      done += n;
      written += n;
    }
  }

  /**
   * Checks that the array is complete and puts the file in place.
   *
   * @throws IllegalStateException if elements are missing, or the file is finished or closed
   * @throws IOException if the file cannot be put in place
   */
  public void finish() throws IOException {
    requireOpen();
    if (written != elements) {
      throw new IllegalStateException(
          "%s: array is incomplete: %s of %s elements written"
              .formatted(target, written, elements));
    }
    file.commit();
    finished = true;
    file.close();
  }

  /**
   * Ends writing. Without a {@link #finish} before, the temporary file is deleted and the target
   * stays as it was. A second call does nothing.
   *
   * @throws IOException if the temporary file cannot be deleted
   */
  @Override
  public void close() throws IOException {
    file.close();
  }

  private void requireOpen() {
    if (!file.channel().isOpen()) {
      throw new IllegalStateException(
          "%s is %s".formatted(target, finished ? "finished" : "closed"));
    }
  }
}
