package io.matryoshka.sae.internal.fetch;

import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.internal.io.DeletedOnExit;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The parts of one SAE that are on disk, {@code
 * <cache>/partial/models--owner--name/<commit>/<path>/prefix-<width>}. A part appears by a rename
 * when it is complete; one that was broken off keeps a name that is never looked at, and is deleted
 * after a day.
 */
final class PrefixCache {

  private static final Logger LOG = LoggerFactory.getLogger(PrefixCache.class);
  private static final String PREFIX = "prefix-";
  private static final String UNFINISHED = ".part";
  private static final Duration ABANDONED_AFTER = Duration.ofDays(1);
  private static final Map<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();

  private final Path folder;

  /**
   * Names the parts of a weight file.
   *
   * @param root the cache of this library
   * @param weights the weight file at a commit
   */
  PrefixCache(Path root, RepoFile weights) {
    Path repo = root.resolve("partial").resolve("models--" + weights.repoId().replace("/", "--"));
    this.folder = repo.resolve(weights.revision()).resolve(weights.filename()).getParent();
  }

  /** Something that fills a folder. */
  @FunctionalInterface
  interface Filler {

    /** Returns false if there shall be no such part after all. */
    boolean fill(Path folder) throws IOException;
  }

  /** Finds the narrowest intact part that is wide enough. */
  Optional<Path> find(int width) {
    TreeMap<Integer, Path> wideEnough = new TreeMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, PREFIX + "*")) {
      for (Path entry : entries) {
        PrefixRecord.read(entry)
            .filter(record -> entry.endsWith(PREFIX + record.width()) && record.width() >= width)
            .ifPresent(record -> wideEnough.put(record.width(), entry));
      }
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      LOG.warn("{} cannot be read: {}", folder, e.toString());
      return Optional.empty();
    }
    return wideEnough.values().stream().filter(PrefixRecord::isIntact).findFirst();
  }

  /** Finds a part or makes it; of the threads that ask for one, one makes it. */
  Optional<Path> findOrMake(int width, boolean anew, Filler filler) throws IOException {
    ReentrantLock lock = LOCKS.computeIfAbsent(folder.toAbsolutePath(), p -> new ReentrantLock());
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while waiting for " + folder);
    }
    try {
      Optional<Path> found = anew ? Optional.empty() : find(width);
      return found.isPresent() ? found : make(width, filler);
    } finally {
      lock.unlock();
    }
  }

  private Optional<Path> make(int width, Filler filler) throws IOException {
    Path unfinished = folder.resolve("." + PREFIX + width + "." + UUID.randomUUID() + UNFINISHED);
    DeletedOnExit.add(unfinished);
    try {
      Files.createDirectories(unfinished);
    } catch (FileSystemException e) {
      LOG.warn("No part can be kept in {} ({}); loading the whole file", folder, e.toString());
      return Optional.empty();
    }
    try {
      deleteAbandoned();
      return filler.fill(unfinished) ? Optional.of(publish(unfinished, width)) : Optional.empty();
    } finally {
      delete(unfinished);
      DeletedOnExit.remove(unfinished);
    }
  }

  private Path publish(Path made, int width) throws IOException {
    Path target = folder.resolve(PREFIX + width);
    Path old = folder.resolve("." + PREFIX + width + "." + UUID.randomUUID() + UNFINISHED);
    if (Files.exists(target)) {
      Files.move(target, old); // Damaged, or to be replaced; whoever has it mapped keeps it.
    }
    try {
      Files.move(made, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      // Another process was faster: what it made is as good.
      if (e instanceof AtomicMoveNotSupportedException || find(width).isEmpty()) {
        throw e;
      }
    }
    delete(old);
    return target;
  }

  private void deleteAbandoned() throws IOException {
    Instant limit = Instant.now().minus(ABANDONED_AFTER);
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(folder, "." + PREFIX + "*" + UNFINISHED)) {
      for (Path entry : entries) {
        if (Files.getLastModifiedTime(entry).toInstant().isBefore(limit)) {
          delete(entry);
        }
      }
    }
  }

  /** Deletes a folder of files; what cannot be deleted stays, as it is never looked at. */
  private static void delete(Path folder) {
    try {
      DeletedOnExit.delete(folder);
    } catch (IOException e) {
      LOG.debug("{} is left behind", folder, e);
    }
  }
}
