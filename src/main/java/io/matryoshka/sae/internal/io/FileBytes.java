package io.matryoshka.sae.internal.io;

import io.matryoshka.sae.store.ByteSource;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A file on disk. Runs of bytes are read through the channel; scattered elements through mappings
 * of 1 GiB, which are made when first needed and kept.
 */
public final class FileBytes implements ByteSource {

  private static final int SEGMENT_BITS = 30;
  private static final long SEGMENT_BYTES = 1L << SEGMENT_BITS;

  private final Path path;
  private final SharedChannel channel;
  private final boolean temporary;
  private final long size;
  private final AtomicReferenceArray<ByteBuffer> segments;

  private FileBytes(Path path, SharedChannel channel, boolean temporary) throws IOException {
    this.path = path;
    this.channel = channel;
    this.temporary = temporary;
    this.size = channel.read(FileChannel::size);
    this.segments = new AtomicReferenceArray<>((int) ((size + SEGMENT_BYTES - 1) >>> SEGMENT_BITS));
  }

  /**
   * Opens a file.
   *
   * @param path the file
   * @return the open file, to be closed by the caller
   * @throws IOException if it cannot be opened for reading
   */
  public static FileBytes open(Path path) throws IOException {
    return open(path, false);
  }

  /**
   * Creates an empty file that nobody else sees and that is deleted when it is closed, fills it and
   * opens it.
   *
   * @param content writes the bytes
   * @return the open file, to be closed by the caller
   * @throws IOException if the file cannot be written, or the content cannot be made
   */
  public static FileBytes temporary(Content content) throws IOException {
    Path path = Files.createTempFile("matryoshka-sae", ".tmp");
    try {
      DeletedOnExit.add(path);
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
        content.write(channel);
      }
      return open(path, true);
    } catch (Throwable e) {
      delete(path);
      throw e;
    }
  }

  /** Writes the bytes of a temporary file. */
  @FunctionalInterface
  public interface Content {

    /**
     * Writes all bytes.
     *
     * @param target the empty file
     * @throws IOException if the bytes cannot be made or written
     */
    void write(FileChannel target) throws IOException;
  }

  private static FileBytes open(Path path, boolean temporary) throws IOException {
    SharedChannel channel = SharedChannel.open(path);
    try {
      return new FileBytes(path, channel, temporary);
    } catch (Throwable e) {
      channel.close();
      throw e;
    }
  }

  private static void delete(Path path) throws IOException {
    DeletedOnExit.remove(path);
    Files.deleteIfExists(path);
  }

  /**
   * Returns the file's path, as given to {@link #open}.
   *
   * @return the path
   */
  public Path path() {
    return path;
  }

  @Override
  public String name() {
    return path.toString();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void readFully(long position, ByteBuffer target) throws IOException {
    ByteBuffer bytes = target.duplicate();
    int begin = target.position();
    channel.read(open -> fill(open, position, bytes.position(begin)));
    target.position(target.limit());
  }

  private ByteBuffer fill(FileChannel open, long position, ByteBuffer target) throws IOException {
    long next = position;
    while (target.hasRemaining()) {
      int count = open.read(target, next);
      if (count < 0) {
        throw new EOFException(path + ": file ends at byte " + next + ", more were expected");
      }
      next += count;
    }
    return target;
  }

  /**
   * Maps bytes.
   *
   * @param position the first byte
   * @param length the number of bytes, at most {@link Integer#MAX_VALUE}
   * @return a read-only, direct, little-endian view of the file; not a copy, and valid after {@link
   *     #close}
   * @throws EOFException if the file has become shorter
   * @throws IOException if the file cannot be mapped
   */
  public ByteBuffer map(long position, long length) throws IOException {
    Objects.checkFromIndexSize(position, length, size);
    return channel.read(open -> map(open, position, length)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private ByteBuffer map(FileChannel open, long position, long length) throws IOException {
    if (open.size() < position + length) {
      throw new EOFException(
          path + ": has become shorter than " + size + " bytes since it was opened");
    }
    return open.map(MapMode.READ_ONLY, position, length);
  }

  @Override
  public void gather(long position, long step, int width, int count, ByteBuffer target)
      throws IOException {
    for (int i = 0; i < count; i++) {
      long at = position + i * step;
      int within = (int) (at & (SEGMENT_BYTES - 1));
      if (within + width > SEGMENT_BYTES) {
        ByteSource.super.gather(at, step, width, 1, target);
      } else {
        int to = target.position();
        target.put(to, segment((int) (at >>> SEGMENT_BITS)), within, width);
        target.position(to + width);
      }
    }
  }

  private ByteBuffer segment(int index) throws IOException {
    ByteBuffer known = segments.get(index);
    if (known != null) {
      return known;
    }
    long begin = (long) index << SEGMENT_BITS;
    segments.compareAndSet(index, null, map(begin, Math.min(SEGMENT_BYTES, size - begin)));
    return segments.get(index);
  }

  /** Closes the file. A second call does nothing; buffers mapped before stay valid. */
  @Override
  public void close() throws IOException {
    channel.close();
    if (temporary) {
      delete(path);
    }
  }
}
