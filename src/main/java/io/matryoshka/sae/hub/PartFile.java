package io.matryoshka.sae.hub;

import io.matryoshka.sae.io.AtomicFile;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A blob that is not complete yet. A resumable one has a name known to this library alone and stays
 * behind when the transfer fails; the caller must hold the blob's lock. Any other has a unique name
 * and is deleted.
 *
 * <p>When ranges are written out of order, a second small file says how far the first one has no
 * gaps.
 */
final class PartFile implements Closeable {
  private static final String SUFFIX = ".incomplete";

  private final Path path;
  private final Path prefixNote;
  private FileChannel channel;
  private final boolean resumable;

  private PartFile(Path path, FileChannel channel, boolean resumable) {
    this.path = path;
    this.prefixNote = path.resolveSibling(path.getFileName() + ".prefix.tmp");
    this.channel = channel;
    this.resumable = resumable;
  }

  static PartFile open(Path blob, boolean resumable) throws IOException {
    String unique = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    Path path =
        blob.resolveSibling(
            blob.getFileName() + (resumable ? ".matryoshka" : "." + unique) + SUFFIX);
    try {
      FileChannel channel =
          FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      return new PartFile(path, channel, resumable);
    } catch (IOException e) {
      throw writeFailure(path, e);
    }
  }

  Path path() {
    return path;
  }

  /**
   * Returns how many bytes from the start an earlier transfer has left; drops what follows them.
   */
  long resume() throws IOException {
    try {
      long size = channel.size();
      long prefix = Files.exists(prefixNote) ? Math.min(size, readPrefixNote()) : size;
      if (prefix < size) {
        channel.truncate(prefix);
      }
      Files.deleteIfExists(prefixNote);
      return prefix;
    } catch (IOException e) {
      throw writeFailure(path, e);
    }
  }

  private long readPrefixNote() throws IOException {
    try {
      return Math.max(0, Long.parseLong(Files.readString(prefixNote).strip()));
    } catch (NumberFormatException e) {
      return 0; // Empty, as the process died right after making it: start over.
    }
  }

  void write(List<ByteBuffer> data, long position) throws IOException {
    try {
      long at = position;
      for (ByteBuffer buffer : data) {
        while (buffer.hasRemaining()) {
          at += channel.write(buffer, at);
        }
      }
    } catch (IOException e) {
      throw writeFailure(path, e);
    }
  }

  /** Starts over, also when an interrupted thread has closed the file. */
  void truncate() throws IOException {
    try {
      if (!channel.isOpen()) {
        channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      }
      channel.truncate(0);
      Files.deleteIfExists(prefixNote);
    } catch (IOException e) {
      throw writeFailure(path, e);
    }
  }

  /**
   * Notes that all bytes before {@code prefix} are written, while later ones may be missing. Every
   * note has the same length and replaces the last one in place, so that a process that dies here
   * leaves one or the other.
   */
  void notePrefix(long prefix) throws IOException {
    try {
      Files.writeString(
          prefixNote,
          String.format(Locale.ROOT, "%020d", prefix),
          StandardOpenOption.CREATE,
          StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw writeFailure(prefixNote, e);
    }
  }

  /** Gives the complete file its name. */
  void moveTo(Path blob) throws IOException {
    try {
      channel.close();
      AtomicFile.replace(path, blob);
      Files.deleteIfExists(prefixNote);
    } catch (IOException e) {
      throw writeFailure(blob, e);
    }
  }

  /** Deletes what has been written. */
  void discard() throws IOException {
    channel.close();
    Files.deleteIfExists(path);
    Files.deleteIfExists(prefixNote);
  }

  /** Closes the file and, unless it can be resumed or has got its name, deletes it. */
  @Override
  public void close() throws IOException {
    channel.close();
    if (!resumable) {
      discard();
    }
  }

  static IOException writeFailure(Path path, IOException cause) {
    if (cause instanceof ClosedByInterruptException) {
      InterruptedIOException interrupted =
          new InterruptedIOException("Interrupted while writing " + path);
      interrupted.initCause(cause);
      return interrupted;
    }
    return new CacheWriteException(
        "Write "
            + path
            + ": "
            + cause
            + "; free some space, check the folder's permissions, or choose another cache folder"
            + " (HF_HUB_CACHE)",
        cause);
  }
}
