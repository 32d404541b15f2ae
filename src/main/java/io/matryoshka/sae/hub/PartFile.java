package io.matryoshka.sae.hub;

import io.matryoshka.sae.internal.io.AtomicFile;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
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

  /** The end of the names of part files that only this library knows and resumes. */
  static final String RESUMABLE = ".matryoshka" + SUFFIX;

  private static final String NOTE = ".prefix.tmp";

  private final Path path;
  private final Path prefixNote;
  private volatile FileChannel channel;
  private Optional<Object> fileKey;
  private final boolean resumable;

  private PartFile(Path path, FileChannel channel, boolean resumable) throws IOException {
    this.path = path;
    this.fileKey = fileKey(path);
    this.prefixNote = note(path);
    this.channel = channel;
    this.resumable = resumable;
  }

  static PartFile open(Path blob, boolean resumable) throws IOException {
    String unique = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    Path path =
        blob.resolveSibling(blob.getFileName() + (resumable ? RESUMABLE : "." + unique + SUFFIX));
    try {
      FileChannel channel =
          FileChannel.open(
              path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      return new PartFile(path, channel, resumable);
    } catch (IOException e) {
      throw writeFailure(path, e);
    }
  }

  private static Path note(Path path) {
    return path.resolveSibling(path.getFileName() + NOTE);
  }

  /** Tells whether a resumable download of a blob was begun and not finished. */
  static boolean hasPart(Path blob) {
    Path part = blob.resolveSibling(blob.getFileName() + RESUMABLE);
    return Files.exists(part) || Files.exists(note(part));
  }

  /** Deletes what a resumable download has left; the caller holds the lock of the blob. */
  static void discardDead(Path blob) throws IOException {
    Path part = blob.resolveSibling(blob.getFileName() + RESUMABLE);
    Files.deleteIfExists(part);
    Files.deleteIfExists(note(part));
  }

  /** Something by which the system knows a file whatever its name is, where it tells. */
  private static Optional<Object> fileKey(Path path) throws IOException {
    try {
      return Optional.ofNullable(Files.readAttributes(path, BasicFileAttributes.class).fileKey());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /**
   * Puts the file back under its name, if another program has deleted it meanwhile, as the clean-up
   * of a cache does: its bytes are still there as long as it is open.
   */
  void restoreIfDeleted() throws IOException {
    try {
      if (fileKey(path).equals(fileKey) || !channel.isOpen()) {
        return;
      }
      Files.deleteIfExists(path);
      FileChannel copy =
          FileChannel.open(
              path,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      long size = channel.size();
      for (long done = 0; done < size; ) {
        done += channel.transferTo(done, size - done, copy);
      }
      channel.close();
      channel = copy;
      fileKey = fileKey(path);
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
        channel =
            FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        fileKey = fileKey(path);
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
    restoreIfDeleted();
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
