package io.matryoshka.sae.kernel.prepared;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * A file while it is written: under a name of its own, until it is whole and takes its place by a
 * rename. The writer holds a lock on it, which the system drops if the writer is killed, so that
 * {@link #removeStale} knows what nobody writes any more.
 */
final class PartFile implements AutoCloseable {

  /** A byte far behind the content, so that the lock is in nobody's way. */
  private static final long LOCK_AT = Long.MAX_VALUE - 1;

  /** Far longer than it takes from making a part to locking it. */
  private static final Duration LOCKED_AFTER = Duration.ofMinutes(1);

  private static final Pattern NAME =
      Pattern.compile(".+\\.encoder\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.part");

  /** Parts of this JVM, since looking at one drops the lock that this JVM holds on it. */
  private static final Set<Path> WRITING = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final Path part;
  private final FileChannel channel;

  private PartFile(Path file, Path part, FileChannel channel) {
    this.file = file;
    this.part = part;
    this.channel = channel;
  }

  /** Begins to write a file, in a folder that is made if need be. */
  static PartFile create(Path file) throws IOException {
    Path target = file.toAbsolutePath();
    Files.createDirectories(target.getParent());
    Path part = target.resolveSibling(target.getFileName() + "." + UUID.randomUUID() + ".part");
    WRITING.add(part);
    try {
      FileChannel channel =
          FileChannel.open(
              part,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      lock(channel);
      return new PartFile(target, part, channel);
    } catch (IOException e) {
      WRITING.remove(part);
      throw e;
    }
  }

  /** Some file systems have no locks; a part that is left behind there stays. */
  private static boolean lock(FileChannel channel) {
    try {
      return channel.tryLock(LOCK_AT, 1, false) != null;
    } catch (IOException | OverlappingFileLockException e) {
      return false;
    }
  }

  FileChannel channel() {
    return channel;
  }

  /** Puts the file into its place, where it replaces what is there. */
  void finish() throws IOException {
    try {
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Ends the writing and removes what did not get to its place. */
  @Override
  public void close() throws IOException {
    try {
      channel.close();
      Files.deleteIfExists(part);
    } finally {
      WRITING.remove(part);
    }
  }

  /** Removes the parts beside a file whose writers were killed; where that fails, they stay. */
  static void removeStale(Path file) {
    try (DirectoryStream<Path> parts =
        Files.newDirectoryStream(
            file.toAbsolutePath().getParent(),
            path -> NAME.matcher(path.getFileName().toString()).matches())) {
      for (Path part : parts) {
        if (!WRITING.contains(part) && isAbandoned(part)) {
          Files.deleteIfExists(part);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      return; // Nothing depends on it.
    }
  }

  /** A writer locks its part before it writes; an empty one may be about to be locked. */
  private static boolean isAbandoned(Path part) throws IOException {
    try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
      Instant changed = Files.getLastModifiedTime(part).toInstant();
      boolean locking = channel.size() == 0 && changed.plus(LOCKED_AFTER).isAfter(Instant.now());
      return !locking && lock(channel);
    }
  }
}
