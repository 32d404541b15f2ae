package io.matryoshka.sae.safetensors;

import io.matryoshka.sae.internal.io.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Writes a safetensors file whose tensors are declared first and streamed afterwards, in chunks of
 * any size, so that no tensor is ever held in memory as a whole.
 *
 * <p>Each tensor has a cursor of its own: tensors may be written one after the other or in turns,
 * in any order. The bytes go to a temporary file in the target's directory; {@link #finish} checks
 * that every tensor is complete and then renames the file over the target in one step. Until then
 * the target is untouched, and {@link #close} without {@code finish} leaves nothing behind.
 *
 * <pre>{@code
 * try (SafetensorsWriter writer =
 *     SafetensorsWriter.builder()
 *         .tensor("x", Dtype.F32, 2, 3)
 *         .metadata("format", "pt")
 *         .create(path)) {
 *   writer.writeFloats("x", new float[] {1, 2, 3});
 *   writer.writeFloats("x", new float[] {4, 5, 6});
 *   writer.finish();
 * }
 * }</pre>
 *
 * <p>Not safe for use by several threads at the same time.
 */
public final class SafetensorsWriter implements AutoCloseable {

  private static final int CHUNK_BYTES = 1 << 17;

  private final Path target;
  private final AtomicFile file;
  private final long dataOffset;
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private final ByteBuffer chunk =
      ByteBuffer.allocateDirect(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private boolean finished;

  private SafetensorsWriter(Path target, AtomicFile file, HeaderFormat header) {
    this.target = target;
    this.file = file;
    this.dataOffset = header.bytes().length;
    header.tensors().forEach(info -> slots.put(info.name(), new Slot(info)));
  }

  /**
   * Starts the declaration of a file.
   *
   * @return a builder without tensors
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns the declared tensors in the order of their bytes in the file: by descending dtype, then
   * by name, as the reference implementation does.
   *
   * @return an unmodifiable list
   */
  public List<TensorInfo> tensors() {
    return slots.values().stream().map(slot -> slot.info).toList();
  }

  /**
   * Appends raw little-endian bytes to a tensor of any dtype.
   *
   * @param name the tensor's name
   * @param bytes the bytes from position to limit; all are consumed
   * @throws IllegalArgumentException if no such tensor was declared, or it has less room left
   * @throws IllegalStateException if the file is finished or closed
   * @throws IOException if the bytes cannot be written
   */
  public void write(String name, ByteBuffer bytes) throws IOException {
    append(reserve(name, bytes.remaining()), bytes);
  }

  /**
   * Appends floats to an F32 tensor.
   *
   * @param name the tensor's name
   * @param values the elements
   * @throws IllegalArgumentException if no F32 tensor of that name was declared, or it has less
   *     room left
   * @throws IllegalStateException if the file is finished or closed
   * @throws IOException if the elements cannot be written
   */
  public void writeFloats(String name, float... values) throws IOException {
    writeFloats(name, values, 0, values.length);
  }

  /**
   * Appends a part of an array to an F32 tensor.
   *
   * @param name the tensor's name
   * @param values the array
   * @param offset the index of the first element to write
   * @param count the number of elements to write
   * @throws IllegalArgumentException if no F32 tensor of that name was declared, or it has less
   *     room left
   * @throws IndexOutOfBoundsException if the part is not within the array
   * @throws IllegalStateException if the file is finished or closed
   * @throws IOException if the elements cannot be written
   */
  public void writeFloats(String name, float[] values, int offset, int count) throws IOException {
    Objects.checkFromIndexSize(offset, count, values.length);
    Slot slot = reserve(name, (long) count * Float.BYTES, Dtype.F32);
    appendElements(
        slot, count, Float.BYTES, (done, n) -> chunk.asFloatBuffer().put(values, offset + done, n));
  }

  /**
   * Appends doubles to an F64 tensor.
   *
   * @param name the tensor's name
   * @param values the elements
   * @throws IllegalArgumentException if no F64 tensor of that name was declared, or it has less
   *     room left
   * @throws IllegalStateException if the file is finished or closed
   * @throws IOException if the elements cannot be written
   */
  public void writeDoubles(String name, double... values) throws IOException {
    Slot slot = reserve(name, (long) values.length * Double.BYTES, Dtype.F64);
    appendElements(
        slot,
        values.length,
        Double.BYTES,
        (done, n) -> chunk.asDoubleBuffer().put(values, done, n));
  }

  /**
   * Appends ints to an I32 tensor, or their bits to a U32 tensor.
   *
   * @param name the tensor's name
   * @param values the elements
   * @throws IllegalArgumentException if no I32 or U32 tensor of that name was declared, or it has
   *     less room left
   * @throws IllegalStateException if the file is finished or closed
   * @throws IOException if the elements cannot be written
   */
  public void writeInts(String name, int... values) throws IOException {
    writeInts(name, values, 0, values.length);
  }

  /**
   * Appends a part of an array to an I32 tensor, or its bits to a U32 tensor.
   *
   * @param name the tensor's name
   * @param values the array
   * @param offset the index of the first element to write
   * @param count the number of elements to write
   * @throws IllegalArgumentException if no I32 or U32 tensor of that name was declared, or it has
   *     less room left
   * @throws IndexOutOfBoundsException if the part is not within the array
   * @throws IllegalStateException if the file is finished or closed
   * @throws IOException if the elements cannot be written
   */
  public void writeInts(String name, int[] values, int offset, int count) throws IOException {
    Objects.checkFromIndexSize(offset, count, values.length);
    Slot slot = reserve(name, (long) count * Integer.BYTES, Dtype.I32, Dtype.U32);
    appendElements(
        slot, count, Integer.BYTES, (done, n) -> chunk.asIntBuffer().put(values, offset + done, n));
  }

  /**
   * Appends longs to an I64 tensor, or their bits to a U64 tensor.
   *
   * @param name the tensor's name
   * @param values the elements
   * @throws IllegalArgumentException if no I64 or U64 tensor of that name was declared, or it has
   *     less room left
   * @throws IllegalStateException if the file is finished or closed
   * @throws IOException if the elements cannot be written
   */
  public void writeLongs(String name, long... values) throws IOException {
    Slot slot = reserve(name, (long) values.length * Long.BYTES, Dtype.I64, Dtype.U64);
    appendElements(
        slot, values.length, Long.BYTES, (done, n) -> chunk.asLongBuffer().put(values, done, n));
  }

  /**
   * Checks that every tensor is complete and puts the file in place, over an existing one. Closing
   * is still left to {@link #close}.
   *
   * @throws IllegalStateException if a tensor lacks bytes, or the file is finished or closed
   * @throws IOException if the file cannot be put in place
   */
  public void finish() throws IOException {
    requireOpen();
    for (Slot slot : slots.values()) {
      if (slot.written != slot.info.byteCount()) {
        throw new IllegalStateException(
            String.format(
                "%s: tensor \"%s\" is incomplete: %d of %d bytes written",
                target, slot.info.name(), slot.written, slot.info.byteCount()));
      }
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

  private Slot reserve(String name, long bytes, Dtype... allowed) {
    requireOpen();
    Slot slot = slots.get(Objects.requireNonNull(name, "name"));
    if (slot == null) {
      throw new IllegalArgumentException(
          "%s: no tensor \"%s\" was declared; declared are %s"
              .formatted(target, name, slots.keySet()));
    }
    if (allowed.length > 0 && !List.of(allowed).contains(slot.info.dtype())) {
      throw new IllegalArgumentException(
          String.format(
              "%s: tensor \"%s\" is %s, but the values are for %s",
              target, name, slot.info.dtype(), List.of(allowed)));
    }
    long room = slot.info.byteCount() - slot.written;
    if (bytes > room) {
      throw new IllegalArgumentException(
          String.format(
              "%s: tensor \"%s\" of %d bytes has room for %d more, got %d",
              target, name, slot.info.byteCount(), room, bytes));
    }
    return slot;
  }

  private void appendElements(Slot slot, int count, int width, Filler filler) throws IOException {
    int perChunk = CHUNK_BYTES / width;
    for (int done = 0; done < count; ) {
      int n = Math.min(perChunk, count - done);
      chunk.clear();
      filler.fill(done, n);
      append(slot, chunk.limit(n * width));
      done += n;
    }
  }

  private void append(Slot slot, ByteBuffer bytes) throws IOException {
    int count = bytes.remaining();
    file.write(bytes, dataOffset + slot.info.begin() + slot.written);
    slot.written += count;
  }

  private void requireOpen() {
    if (!file.channel().isOpen()) {
      throw new IllegalStateException(
          "%s is %s".formatted(target, finished ? "finished" : "closed"));
    }
  }

  /** Puts elements {@code done} to {@code done + count} at the start of the chunk. */
  @FunctionalInterface
  private interface Filler {
    void fill(int done, int count);
  }

  /** A declared tensor and how much of it is written. */
  private static final class Slot {
    private final TensorInfo info;
    private long written;

    private Slot(TensorInfo info) {
      this.info = info;
    }
  }

  /** The declaration of a file: its tensors and metadata. */
  public static final class Builder {

    private final Map<String, TensorInfo> tensors = new TreeMap<>();
    private final Map<String, String> metadata = new TreeMap<>();

    private Builder() {}

    /**
     * Declares a tensor.
     *
     * @param name any well-formed string but {@code __metadata__}
     * @param dtype the element type
     * @param shape the dimensions, none for a scalar
     * @return this builder
     * @throws IllegalArgumentException if the name is taken or reserved, a dimension is negative,
     *     or the size overflows or is no whole number of bytes
     */
    public Builder tensor(String name, Dtype dtype, long... shape) {
      HeaderFormat.requireWellFormed(name);
      if (name.equals(SafetensorsHeader.METADATA_KEY)) {
        throw new IllegalArgumentException("a tensor cannot be named " + name);
      }
      if (tensors.containsKey(name)) {
        throw new IllegalArgumentException("tensor \"" + name + "\" is declared twice");
      }
      tensors.put(name, HeaderFormat.declare(name, dtype, shape));
      return this;
    }

    /**
     * Adds an entry to the file's metadata, replacing one of the same key.
     *
     * @param key the key
     * @param value the value
     * @return this builder
     * @throws IllegalArgumentException if either holds a lone surrogate
     */
    public Builder metadata(String key, String value) {
      metadata.put(HeaderFormat.requireWellFormed(key), HeaderFormat.requireWellFormed(value));
      return this;
    }

    /**
     * Creates the temporary file beside the target and writes the header into it.
     *
     * @param target the file to be, in an existing directory; replaced on {@link
     *     SafetensorsWriter#finish} if it exists
     * @return the writer, to be closed by the caller
     * @throws IllegalArgumentException if the header would be larger than the format allows
     * @throws IOException if the file cannot be created
     */
    public SafetensorsWriter create(Path target) throws IOException {
      HeaderFormat header = HeaderFormat.of(tensors.values(), metadata);
      SafetensorsWriter writer = new SafetensorsWriter(target, AtomicFile.create(target), header);
      try {
        writer.file.writeFully(header.bytes());
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
  }
}
