package io.matryoshka.sae.hub;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * A file on the Hub, read in parts without storing it. Connections are used again from one read to
 * the next, broken ones are resumed, and the token goes to the Hub only.
 *
 * <p>A part cannot be checked against the file's hash; only its length is. Safe for concurrent use:
 * reads may run in parallel.
 */
public final class RemoteFile {
  private final RemoteSource source;
  private final HubSettings settings;

  RemoteFile(RemoteSource source, HubSettings settings) {
    this.source = source;
    this.settings = settings;
  }

  /**
   * Returns what the file is called.
   *
   * @return repository, revision and name as they were asked for
   */
  public RepoFile file() {
    return source.file();
  }

  /**
   * Returns the commit that the revision named when the file was opened.
   *
   * @return the full hash
   */
  public String commit() {
    return source.metadata().commit();
  }

  /**
   * Returns the name of the content: its sha256 for large files, its git blob id for small ones.
   *
   * @return the name, without quotes
   */
  public String etag() {
    return source.metadata().etag();
  }

  /**
   * Returns the length of the file in bytes.
   *
   * @return the length, or empty if the Hub does not tell it
   */
  public OptionalLong size() {
    return source.metadata().size();
  }

  /**
   * Reads bytes until the buffer is full.
   *
   * @param offset the first byte to read
   * @param destination where they go; its remaining space says how many
   * @throws IllegalArgumentException if the range does not lie within the file
   * @throws RangesUnsupportedException if the server does not serve parts of the file
   * @throws IOException if the bytes cannot be read
   */
  public void read(long offset, ByteBuffer destination) throws IOException {
    Objects.requireNonNull(destination, "destination");
    transfer(offset, destination.remaining(), data -> data.forEach(destination::put));
  }

  /**
   * Reads bytes and writes them to a channel in order.
   *
   * @param offset the first byte to read
   * @param length how many bytes
   * @param destination where they go; not closed
   * @throws IllegalArgumentException if the range does not lie within the file
   * @throws RangesUnsupportedException if the server does not serve parts of the file
   * @throws IOException if the bytes cannot be read or written
   */
  public void read(long offset, long length, WritableByteChannel destination) throws IOException {
    Objects.requireNonNull(destination, "destination");
    transfer(
        offset,
        length,
        data -> {
          for (ByteBuffer buffer : data) {
            while (buffer.hasRemaining()) {
              destination.write(buffer);
            }
          }
        });
  }

  /**
   * Reads many ranges over several connections and hands them over in the order given, on the
   * calling thread. The client's {@link ProgressListener} is told as for a download, with the sum
   * of the ranges as the total. About two ranges a connection are in memory at the same time.
   *
   * @param ranges what to read
   * @param connections how many to use at most, 1 or more
   * @param consumer takes the ranges
   * @throws IllegalArgumentException if a range does not lie within the file
   * @throws RangesUnsupportedException if the server does not serve parts of the file
   * @throws IOException if the bytes cannot be read, or the consumer fails
   */
  public void read(List<ByteRange> ranges, int connections, RangeConsumer consumer)
      throws IOException {
    Objects.requireNonNull(consumer, "consumer");
    if (connections < 1) {
      throw new IllegalArgumentException("connections: expected 1 or more, got " + connections);
    }
    ranges.forEach(range -> requireInside(range.offset(), range.length()));
    if (!ranges.isEmpty()) {
      long total = ranges.stream().mapToLong(ByteRange::length).sum();
      ProgressReporter progress =
          new ProgressReporter(settings.progress(), file(), OptionalLong.of(total));
      new OrderedRangeReader(this, List.copyOf(ranges), connections, progress).run(consumer);
    }
  }

  /** Takes the buffers of a range one after the other. */
  @FunctionalInterface
  private interface Consumer {
    void accept(List<ByteBuffer> data) throws IOException;
  }

  private void transfer(long offset, long length, Consumer consumer) throws IOException {
    requireInside(offset, length);
    TransferSink sink =
        new TransferSink() {
          @Override
          public void write(List<ByteBuffer> data, long position) throws IOException {
            consumer.accept(data);
          }

          @Override
          public void restart() {
            throw new IllegalStateException("A range is never started over");
          }
        };
    long end = offset + length;
    if (length > 0
        && new RangeTransfer(source, settings.retries(), sink, offset, OptionalLong.of(end), false)
                .run()
            != end) {
      throw new EOFException("Read bytes " + offset + " to " + end + " of " + file() + ": too few");
    }
  }

  private void requireInside(long offset, long length) {
    long size = size().orElse(Long.MAX_VALUE);
    if (offset < 0 || length < 0 || offset > size - length) {
      throw new IllegalArgumentException(
          "read: expected a range within the "
              + size
              + " bytes of "
              + file()
              + ", got offset "
              + offset
              + " and length "
              + length);
    }
  }

  /**
   * Returns the names of the file.
   *
   * @return for people to read
   */
  @Override
  public String toString() {
    return "RemoteFile[" + file() + ", commit " + commit() + "]";
  }
}
