package io.matryoshka.sae.internal.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * A file that lives as long as it is open: {@code .<name>.<16 hex digits>.matryoshka.tmp}.
 *
 * <ul>
 *   <li>{@link #close} deletes it.
 *   <li>When the program is stopped (Ctrl-C, SIGTERM), {@link DeletedOnExit} deletes it.
 *   <li>What a killed program has left is deleted by the next one that makes a temporary file in
 *       the same folder. The writer holds a lock on the file, which the system drops with the
 *       process, so nothing is taken from a running program; where a file system has no locks, a
 *       file that has not changed for a day counts as left behind.
 * </ul>
 */
public final class TemporaryFile implements Closeable {

  private static final Pattern NAME = Pattern.compile("\\..+\\.[0-9a-f]{16}\\.matryoshka\\.tmp");

  /** A byte far behind the content, so that the lock is in nobody's way. */
  private static final long LOCK_AT = Long.MAX_VALUE - 1;

  /** Far longer than it takes from making a file to locking it, and soon over for the next run. */
  private static final Duration LOCKED_WITHIN = Duration.ofSeconds(2);

  private static final Duration ABANDONED_AFTER = Duration.ofDays(1);

  /** Folders that this program has cleared of what others left. */
  private static final Set<Path> CLEARED = ConcurrentHashMap.newKeySet();

  private final Path path;
  private final Path result;
  private final FileChannel channel;

  private TemporaryFile(Path path, Path result, FileChannel channel) {
    this.path = path;
    this.result = result;
    this.channel = channel;
  }

  /**
   * Creates an empty file.
   *
   * @param folder an existing folder
   * @param name what it is for; part of its name
   * @return the file, open for reading and writing
   * @throws IOException if it cannot be created
   */
  public static TemporaryFile create(Path folder, String name) throws IOException {
    return create(folder, name, folder.resolve(name));
  }

  /**
   * Creates an empty file on whose content a result depends.
   *
   * @param folder an existing folder
   * @param name what it is for; part of its name
   * @param result what a message on a failure names
   * @return the file, open for reading and writing
   * @throws IOException if it cannot be created
   */
  public static TemporaryFile create(Path folder, String name, Path result) throws IOException {
    Path inFolder = folder.toAbsolutePath().normalize();
    if (CLEARED.add(inFolder)) {
      removeAbandoned(inFolder);
    }
    String unique = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
    Path path = inFolder.resolve("." + name + "." + unique + ".matryoshka.tmp");
    DeletedOnExit.add(path);
    try {
      FileChannel channel =
          FileChannel.open(
              path,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      lock(channel);
      return new TemporaryFile(path, result, channel);
    } catch (IOException e) {
      DeletedOnExit.remove(path);
      throw notMade(inFolder, result, e);
    }
  }

  /** The reader of a message knows the result, and not the name of the temporary file. */
  private static FileSystemException notMade(Path folder, Path result, IOException cause) {
    FileSystemException failure;
    if (cause instanceof AccessDeniedException) {
      failure =
          new AccessDeniedException(
              result.toString(), null, "no permission to make files in the folder " + folder);
    } else if (!Files.exists(folder)) {
      failure = new NoSuchFileException(result.toString(), null, "there is no folder " + folder);
    } else {
      Optional<String> reason =
          Optional.ofNullable(
              cause instanceof FileSystemException f ? f.getReason() : cause.getMessage());
      failure =
          new FileSystemException(
              result.toString(),
              null,
              "no file can be made in the folder "
                  + folder
                  + reason.map(text -> ": " + text).orElse(""));
    }
    failure.initCause(cause);
    return failure;
  }

  /**
   * Appends bytes.
   *
   * @param bytes the bytes, up to the limit
   * @throws IOException that names the result, if they cannot be written
   */
  public void append(ByteBuffer bytes) throws IOException {
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw notWritten(e);
    }
  }

  /**
   * Writes bytes at a position.
   *
   * @param bytes the bytes, up to the limit
   * @param position where the first goes
   * @throws IOException that names the result, if they cannot be written
   */
  public void write(ByteBuffer bytes, long position) throws IOException {
    long at = position;
    try {
      while (bytes.hasRemaining()) {
        at += channel.write(bytes, at);
      }
    } catch (IOException e) {
      throw notWritten(e);
    }
  }

  /** Waits until all bytes are on the storage device. */
  void force() throws IOException {
    try {
      channel.force(true);
    } catch (IOException e) {
      throw notWritten(e);
    }
  }

  /** The failure of a channel, such as a full disk, does not say of which file. */
  private IOException notWritten(IOException cause) {
    if (cause instanceof ClosedByInterruptException) {
      return cause;
    }
    FileSystemException named =
        new FileSystemException(
            result.toString(), null, cause.getMessage() + "; nothing of this file was written");
    named.initCause(cause);
    return named;
  }

  /**
   * Returns where it is.
   *
   * @return an absolute path
   */
  public Path path() {
    return path;
  }

  /**
   * Returns the open file.
   *
   * @return a channel to read and write, closed by {@link #close}
   */
  public FileChannel channel() {
    return channel;
  }

  /** Closes and deletes the file; one that was renamed stays. Closing twice is fine. */
  @Override
  public void close() throws IOException {
    try {
      channel.close();
      Files.deleteIfExists(path);
    } finally {
      DeletedOnExit.remove(path);
    }
  }

  /**
   * Deletes the temporary files in a folder whose writers were killed. What cannot be deleted
   * stays, as nothing reads it.
   *
   * @param folder where to look
   */
  public static void removeAbandoned(Path folder) {
    remove(folder, TemporaryFile::isAbandoned);
  }

  /**
   * Deletes the temporary files in a folder to which no other program writes, as the caller knows.
   *
   * @param folder where to look
   */
  public static void removeAllOfOthers(Path folder) {
    remove(folder, path -> true);
  }

  /** Decides on a temporary file that this program does not use. */
  @FunctionalInterface
  private interface Decision {
    boolean isToGo(Path path) throws IOException;
  }

  private static void remove(Path folder, Decision decision) {
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(
            folder, path -> NAME.matcher(path.getFileName().toString()).matches())) {
      for (Path path : found) {
        if (!DeletedOnExit.contains(path) && decision.isToGo(path)) {
          Files.deleteIfExists(path);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      return; // Nothing depends on it.
    }
  }

  private static boolean isAbandoned(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      Duration age = Duration.between(Files.getLastModifiedTime(path).toInstant(), Instant.now());
      boolean mayBeAboutToLock = channel.size() == 0 && age.compareTo(LOCKED_WITHIN) < 0;
      return !mayBeAboutToLock
          && switch (lock(channel)) {
            case HELD -> true;
            case TAKEN -> false;
            case UNSUPPORTED -> age.compareTo(ABANDONED_AFTER) > 0;
          };
    }
  }

  /** What came of the attempt to lock a file. */
  private enum Lock {
    HELD,
    TAKEN,
    UNSUPPORTED
  }

  private static Lock lock(FileChannel channel) {
    try {
      return channel.tryLock(LOCK_AT, 1, false) != null ? Lock.HELD : Lock.TAKEN;
    } catch (OverlappingFileLockException e) {
      return Lock.TAKEN;
    } catch (IOException e) {
      return Lock.UNSUPPORTED;
    }
  }
}
