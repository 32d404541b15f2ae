package io.matryoshka.sae.safetensors;

import io.matryoshka.sae.internal.filetype.FileType;
import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The validated header of a safetensors file: every tensor's place, and the free-form metadata.
 *
 * <p>Needs no local file: someone who reads a remote file by byte ranges reads the first {@link
 * #LENGTH_BYTES} bytes, passes them to {@link #headerLength}, reads that many more bytes, and
 * passes those to {@link #parse(ByteBuffer, long, String)} with the number of bytes that follow.
 *
 * <p>An instance is immutable and safe for use by many threads.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
public final class SafetensorsHeader {

  /** The size of the length field that opens a file, in bytes. */
  public static final int LENGTH_BYTES = 8;

  /** The largest header that the reference implementation takes, in bytes. */
  public static final int MAX_HEADER_BYTES = 100_000_000;

  /** Read first: enough for most headers, so that one takes one request. */
  private static final int FIRST_BYTES = 1 << 14;

  static final String METADATA_KEY = "__metadata__";

  private final String source;
  private final long headerBytes;
  private final long bodyBytes;
  private final Map<String, TensorInfo> tensors;
  private final Map<String, String> metadata;

  private SafetensorsHeader(
      String source,
      long headerBytes,
      long bodyBytes,
      Map<String, TensorInfo> tensors,
      Map<String, String> metadata) {
    this.source = source;
    this.headerBytes = headerBytes;
    this.bodyBytes = bodyBytes;
    this.tensors = Collections.unmodifiableMap(tensors);
    this.metadata = Collections.unmodifiableMap(metadata);
  }

  /**
   * Reads and validates the header of a file.
   *
   * @param source the bytes of the file; stay open
   * @return the header
   * @throws SafetensorsException if the file is not a valid safetensors file
   * @throws IOException if it cannot be read
   */
  public static SafetensorsHeader read(ByteSource source) throws IOException {
    ByteBuffer start = ByteBuffer.allocate((int) Math.min(source.size(), FIRST_BYTES));
    source.readFully(0, start);
    FileType type = FileType.of(start.array());
    if (type != FileType.SAFETENSORS && type.problem().isPresent()) {
      throw new SafetensorsException(source.name() + ": " + type.problem().get());
    }
    int length = headerLength(start.flip(), source.name());
    long end = (long) LENGTH_BYTES + length;
    if (end > source.size()) {
      throw new SafetensorsException(
          ("%s: header is said to end at byte %d, but the file has %d bytes; it is truncated or not"
                  + " a safetensors file")
              .formatted(source.name(), end, source.size()));
    }
    ByteBuffer header = ByteBuffer.allocate(length);
    header.put(start.slice(LENGTH_BYTES, Math.min(length, start.limit() - LENGTH_BYTES)));
    source.readFully(LENGTH_BYTES + header.position(), header);
    return parse(header.flip(), source.size() - end, source.name());
  }

  /**
   * Returns the length of the header, from the first bytes of a file.
   *
   * @param start the first {@link #LENGTH_BYTES} bytes, at the buffer's position; left unchanged
   * @param source what to call the file in messages: a path or an address
   * @return the length in bytes, 0 to {@link #MAX_HEADER_BYTES}
   * @throws SafetensorsException if there are fewer bytes, or the length is larger
   */
  public static int headerLength(ByteBuffer start, String source) throws SafetensorsException {
    Objects.requireNonNull(source, "source");
    if (start.remaining() < LENGTH_BYTES) {
      throw new SafetensorsException(
          "%s: a safetensors file starts with 8 bytes of length, got %s"
              .formatted(source, start.remaining()));
    }
    long length = start.duplicate().order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (Long.compareUnsigned(length, MAX_HEADER_BYTES) > 0) {
      throw new SafetensorsException(
          ("%s: header length is %s bytes, at most %s are allowed; is this a"
                  + " safetensors file?")
              .formatted(source, Long.toUnsignedString(length), MAX_HEADER_BYTES));
    }
    return (int) length;
  }

  /**
   * Parses and validates a header.
   *
   * @param header the header without the length field; the remaining bytes are all of it. Position
   *     and limit are left unchanged
   * @param bodyBytes the number of bytes that follow the header in the file
   * @param source what to call the file in messages: a path or an address
   * @return the header
   * @throws SafetensorsException if the header is malformed, or its tensors do not fill the body
   *     exactly, without a hole or an overlap
   */
  public static SafetensorsHeader parse(ByteBuffer header, long bodyBytes, String source)
      throws SafetensorsException {
    long headerBytes = header.remaining();
    if (headerBytes > MAX_HEADER_BYTES) {
      throw new SafetensorsException(
          "%s: header is %s bytes, at most %s are allowed"
              .formatted(source, headerBytes, MAX_HEADER_BYTES));
    }
    try {
      return parse(new BufferInputStream(header.duplicate()), headerBytes, bodyBytes, source);
    } catch (SafetensorsException e) {
      throw e;
    } catch (IOException e) {
      throw new SafetensorsException(source + ": header cannot be read", e);
    }
  }

  /**
   * Parses and validates a header.
   *
   * @param header the header without the length field
   * @param bodyBytes the number of bytes that follow the header in the file
   * @param source what to call the file in messages: a path or an address
   * @return the header
   * @throws SafetensorsException if the header is malformed, or its tensors do not fill the body
   *     exactly, without a hole or an overlap
   */
  public static SafetensorsHeader parse(byte[] header, long bodyBytes, String source)
      throws SafetensorsException {
    return parse(ByteBuffer.wrap(header), bodyBytes, source);
  }

  /** Parses a stream that ends where the header ends. */
  static SafetensorsHeader parse(
      InputStream header, long headerBytes, long bodyBytes, String source) throws IOException {
    Objects.requireNonNull(source, "source");
    if (bodyBytes < 0) {
      throw new IllegalArgumentException("bodyBytes must not be negative, got " + bodyBytes);
    }
    HeaderParser parsed = HeaderParser.parse(header, source);
    List<RawTensor> inOrder = new ArrayList<>(parsed.tensors().values());
    inOrder.sort(
        Comparator.comparing(RawTensor::begin, Long::compareUnsigned)
            .thenComparing(RawTensor::end, Long::compareUnsigned)
            .thenComparing(RawTensor::name));
    Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    long next = 0;
    for (RawTensor tensor : inOrder) {
      TensorInfo info = validate(tensor, next, source);
      tensors.put(info.name(), info);
      next = info.end();
    }
    if (next != bodyBytes) {
      throw new SafetensorsException(
          String.format(
              "%s: the tensors take %d bytes, but %d bytes follow the header (which ends at byte"
                  + " %d); the file is %s",
              source,
              next,
              bodyBytes,
              LENGTH_BYTES + headerBytes,
              next > bodyBytes ? "truncated" : "longer than its header says"));
    }
    return new SafetensorsHeader(
        source, headerBytes, bodyBytes, tensors, new TreeMap<>(parsed.metadata()));
  }

  private static TensorInfo validate(RawTensor tensor, long expectedBegin, String source)
      throws SafetensorsException {
    String where = source + ": tensor \"" + HeaderParser.shorten(tensor.name()) + "\": ";
    if (tensor.begin() != expectedBegin || Long.compareUnsigned(tensor.end(), tensor.begin()) < 0) {
      throw new SafetensorsException(
          ("%sdata_offsets %s must start at byte %s of the body, where the tensor"
                  + " before ends, and not end before they start")
              .formatted(where, tensor.offsets(), expectedBegin));
    }
    long needed;
    try {
      needed = Sizes.byteCount(tensor.dtype(), tensor.shape());
    } catch (ArithmeticException e) {
      throw new SafetensorsException(where + e.getMessage(), e);
    }
    // A body of 2^63 bytes or more cannot exist; refusing it here keeps every offset positive.
    if (tensor.end() - tensor.begin() != needed || tensor.end() < 0) {
      throw new SafetensorsException(
          "%sshape %s of %s takes %s bytes, but data_offsets %s span %s"
              .formatted(
                  where,
                  Sizes.format(tensor.shape()),
                  tensor.dtype(),
                  needed,
                  tensor.offsets(),
                  Long.toUnsignedString(tensor.end() - tensor.begin())));
    }
    return new TensorInfo(
        tensor.name(), tensor.dtype(), tensor.shape(), tensor.begin(), tensor.end());
  }

  /**
   * Returns the names of the tensors, in the order of their bytes in the body.
   *
   * @return an unmodifiable set
   */
  public Set<String> names() {
    return tensors.keySet();
  }

  /**
   * Returns the tensors, in the order of their bytes in the body.
   *
   * @return an unmodifiable list
   */
  public List<TensorInfo> tensors() {
    return List.copyOf(tensors.values());
  }

  /**
   * Looks a tensor up.
   *
   * @param name the tensor's name
   * @return the tensor, or empty if there is none of that name
   */
  public Optional<TensorInfo> find(String name) {
    return Optional.ofNullable(tensors.get(Objects.requireNonNull(name, "name")));
  }

  /**
   * Returns a tensor that must be there.
   *
   * @param name the tensor's name
   * @return the tensor
   * @throws SafetensorsException if there is none of that name; the message lists those there are
   */
  public TensorInfo info(String name) throws SafetensorsException {
    TensorInfo info = tensors.get(Objects.requireNonNull(name, "name"));
    if (info == null) {
      throw new SafetensorsException(
          "%s: no tensor \"%s\"; the file has %s: %s"
              .formatted(
                  source, name, tensors.size(), HeaderParser.shorten(tensors.keySet().toString())));
    }
    return info;
  }

  /**
   * Returns the free-form metadata of the file.
   *
   * @return an unmodifiable map, sorted by key; empty if the file has none
   */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * Returns the absolute position of the body in the file, to which the offsets of a {@link
   * TensorInfo} are added.
   *
   * @return the position in bytes from the start of the file
   */
  public long dataOffset() {
    return LENGTH_BYTES + headerBytes;
  }

  /**
   * Returns the size of the body.
   *
   * @return the size in bytes
   */
  public long bodyBytes() {
    return bodyBytes;
  }
}
