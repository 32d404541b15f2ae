package io.matryoshka.sae.internal.io;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets one thread of one process do what a file stands for, such as fetching it, while the others
 * wait. Between threads this is certain; between processes it is as good as the file system's
 * locks. Correctness does not rest on it.
 */
public final class ProcessLock implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessLock.class);
  private static final Map<Path, Shared> IN_THIS_JVM = new ConcurrentHashMap<>();
  private static final long OTHER_CLASS_LOADER_POLL_MILLIS = 50;

  private final Path path;
  private final Shared shared;
  private final Optional<FileChannel> channel;

  /** A lock and how many threads hold it or wait for it. */
  private static final class Shared {
    private final ReentrantLock lock = new ReentrantLock();
    private int users;
  }

  private ProcessLock(Path path, Shared shared, Optional<FileChannel> channel) {
    this.path = path;
    this.shared = shared;
    this.channel = channel;
  }

  /**
   * Waits for the lock.
   *
   * @param lockFile a file for nothing else, made with its folder where needed
   * @return the lock, to be closed by the caller
   * @throws InterruptedIOException if the thread is interrupted
   * @throws IOException if the folder cannot be made
   */
  public static ProcessLock acquire(Path lockFile) throws IOException {
    Path path = lockFile.toAbsolutePath().normalize();
    Shared shared =
        IN_THIS_JVM.compute(path, (key, old) -> enter(old == null ? new Shared() : old));
    boolean held = false;
    try {
      shared.lock.lockInterruptibly();
      held = true;
      return new ProcessLock(path, shared, lockFile(path));
    } catch (InterruptedException e) {
      leave(path, shared, false);
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while waiting for " + path);
    } catch (IOException | RuntimeException e) {
      leave(path, shared, held);
      throw e;
    }
  }

  /**
   * Takes the lock if nobody holds it.
   *
   * @param lockFile a file for nothing else, made with its folder where needed
   * @return the lock, to be closed by the caller
   * @throws IOException if the file cannot be made
   */
  public static Optional<ProcessLock> tryAcquire(Path lockFile) throws IOException {
    Path path = lockFile.toAbsolutePath().normalize();
    Shared shared =
        IN_THIS_JVM.compute(path, (key, old) -> enter(old == null ? new Shared() : old));
    boolean held = shared.lock.tryLock();
    boolean success = false;
    try {
      if (held) {
        Optional<ProcessLock> lock = lockIfFree(path, shared);
        success = lock.isPresent();
        return lock;
      }
      return Optional.empty();
    } finally {
      if (!success) {
        leave(path, shared, held);
      }
    }
  }

  private static Optional<ProcessLock> lockIfFree(Path path, Shared shared) throws IOException {
    Files.createDirectories(path.getParent());
    FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        return Optional.of(new ProcessLock(path, shared, Optional.of(channel)));
      }
    } catch (OverlappingFileLockException e) {
      LOG.trace("A second copy of this class in the same JVM holds {}", path, e);
    } catch (IOException e) {
      channel.close();
      LOG.debug("No lock on {}; other processes may do the same", path, e);
      return Optional.of(new ProcessLock(path, shared, Optional.empty()));
    }
    channel.close();
    return Optional.empty();
  }

  /**
   * Tells whether other processes are kept out as well.
   *
   * @return false where the file system has no locks
   */
  public boolean excludesProcesses() {
    return channel.isPresent();
  }

  @Override
  public void close() {
    try {
      if (channel.isPresent()) {
        channel.get().close(); // Releases the lock; the file stays, as others may wait on it.
      }
    } catch (IOException e) {
      LOG.debug("Closing {} failed", path, e);
    } finally {
      leave(path, shared, true);
    }
  }

  private static Shared enter(Shared shared) {
    shared.users++;
    return shared;
  }

  private static void leave(Path path, Shared shared, boolean held) {
    if (held) {
      shared.lock.unlock();
    }
    IN_THIS_JVM.computeIfPresent(path, (key, value) -> --value.users == 0 ? null : value);
  }

  private static Optional<FileChannel> lockFile(Path path) throws InterruptedIOException {
    try {
      Files.createDirectories(path.getParent());
      boolean created = Files.notExists(path);
      FileChannel channel =
          FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        if (created) {
          shareWithGroup(path);
        }
        lock(channel);
        return Optional.of(channel);
      } catch (IOException | InterruptedException e) {
        channel.close();
        throw e;
      }
    } catch (FileLockInterruptionException | InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while waiting for " + path);
    } catch (IOException e) {
      LOG.debug("No lock on {}; other processes may do the same", path, e);
      return Optional.empty();
    }
  }

  private static void lock(FileChannel channel) throws IOException, InterruptedException {
    while (true) {
      try {
        FileLock lock = channel.lock();
        LOG.trace("Holding {}", lock);
        return;
      } catch (OverlappingFileLockException e) {
        // A second copy of this class in the same JVM holds it.
        Thread.sleep(OTHER_CLASS_LOADER_POLL_MILLIS);
      }
    }
  }

  private static void shareWithGroup(Path path) {
    try {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-r--"));
    } catch (IOException | UnsupportedOperationException e) {
      LOG.debug("Permissions of {} stay as they are", path, e);
    }
  }
}
