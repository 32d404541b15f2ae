package io.matryoshka.sae.internal.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder among the temporary files of the system, {@code matryoshka-sae-<name>-<digits>}, that
 * lives as long as it is open.
 *
 * <ul>
 *   <li>{@link #close} deletes it with all that it holds.
 *   <li>When the program ends, or is stopped by Ctrl-C or SIGTERM, {@link DeletedOnExit} does.
 *   <li>What a killed program has left is deleted by the next one that makes such a folder. The
 *       owner holds a lock on a file in it, which the system drops with the process, so nothing is
 *       taken from a running program. Where a file system has no locks, nothing is deleted.
 * </ul>
 */
public final class TemporaryFolder implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(TemporaryFolder.class);

  private static final String PREFIX = "matryoshka-sae-";
  private static final String LOCK = ".matryoshka.lock";

  /** Far longer than it takes from making the lock's file to locking it. */
  private static final Duration LOCKED_WITHIN = Duration.ofSeconds(2);

  /** Folders that this program has cleared of what others left. */
  private static final Set<Path> CLEARED = ConcurrentHashMap.newKeySet();

  /** The locks of what is open: one that nobody knows any more would be dropped. */
  private static final Map<Path, ProcessLock> OPEN = new ConcurrentHashMap<>();

  private final Path path;

  private TemporaryFolder(Path path) {
    this.path = path;
  }

  /**
   * Creates an empty folder, but for the file that is locked.
   *
   * @param name what it is for; part of its name
   * @return the folder
   * @throws IOException if it cannot be created
   */
  public static TemporaryFolder create(String name) throws IOException {
    Path path = Files.createTempDirectory(PREFIX + name + "-").toAbsolutePath();
    DeletedOnExit.add(path);
    Optional<ProcessLock> lock = ProcessLock.tryAcquire(path.resolve(LOCK));
    lock.ifPresent(held -> OPEN.put(path, held));
    if (CLEARED.add(path.getParent())) {
      removeAbandoned(path.getParent());
    }
    return new TemporaryFolder(path);
  }

  /**
   * Returns where it is.
   *
   * @return an absolute path
   */
  public Path path() {
    return path;
  }

  /** Deletes the folder; closing twice is fine. */
  @Override
  public void close() throws IOException {
    // Closed before its file is deleted, as Windows asks.
    Optional.ofNullable(OPEN.remove(path)).ifPresent(ProcessLock::close);
    DeletedOnExit.delete(path);
    DeletedOnExit.remove(path);
  }

  /** Deletes the temporary folders whose owners were killed. What cannot be deleted stays. */
  static void removeAbandoned(Path parent) {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(parent, PREFIX + "*")) {
      for (Path folder : found) {
        removeIfAbandoned(folder);
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.debug("{} cannot be looked through", parent, e);
    }
  }

  private static void removeIfAbandoned(Path folder) {
    try {
      // A second channel on a file of this program would drop the lock of the first.
      if (!DeletedOnExit.contains(folder) && isAbandoned(folder)) {
        DeletedOnExit.delete(folder);
      }
    } catch (IOException e) {
      LOG.debug("{} stays: it may be of another user", folder, e);
    }
  }

  private static boolean isAbandoned(Path folder) throws IOException {
    Path lockFile = folder.resolve(LOCK);
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
        || !Files.isRegularFile(lockFile, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    Instant made = Files.getLastModifiedTime(lockFile).toInstant();
    if (Duration.between(made, Instant.now()).compareTo(LOCKED_WITHIN) < 0) {
      return false;
    }
    Optional<ProcessLock> lock = ProcessLock.tryAcquire(lockFile);
    lock.ifPresent(ProcessLock::close);
    return lock.filter(ProcessLock::excludesProcesses).isPresent();
  }
}
