package io.matryoshka.sae.stream;

import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.internal.io.FileProblem;
import io.matryoshka.sae.internal.io.TemporaryFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of a run, locked against other runs. Every file in it appears under its name complete,
 * by a rename.
 *
 * <p>{@code checkpoint.json} holds the settings from the start to the end of a run; {@code
 * index.json}, which holds them too, takes its place when all shards are there.
 */
final class RunFolder implements RunStore, AutoCloseable {

  private static final String LOCK = ".lock";

  private static final Logger LOG = LoggerFactory.getLogger(RunFolder.class);

  private final Path path;
  private final FileChannel lockFile;

  private RunFolder(Path path, FileChannel lockFile) {
    this.path = path;
    this.lockFile = lockFile;
  }

  /** Creates the folder if needed, locks it and removes what a killed run left half written. */
  static RunFolder open(Path path) throws IOException {
    FileChannel lockFile = null;
    try {
      Files.createDirectories(path);
      lockFile =
          FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (lock(path, lockFile)) {
        TemporaryFile.removeAllOfOthers(path);
      } else {
        TemporaryFile.removeAbandoned(path);
      }
      return new RunFolder(path, lockFile);
    } catch (IOException e) {
      if (lockFile != null) {
        lockFile.close();
      }
      throw e instanceof EncodeRunException ? e : failure(path, e);
    }
  }

  /** Keeps other runs out; false where the file system cannot do that. */
  private static boolean lock(Path path, FileChannel lockFile) throws IOException {
    FileLock lock;
    try {
      lock = lockFile.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null;
    } catch (IOException e) {
      LOG.warn(
          "{}: this file system has no locks ({}), so nothing keeps two runs that write to this"
              + " folder apart; start one at a time",
          path,
          e.getMessage());
      return false;
    }
    if (lock == null) {
      throw new EncodeRunException(
          path + ": another encode run is writing to this folder; wait for it, or use another one");
    }
    return true;
  }

  /** What to say when something cannot be written. */
  static EncodeRunException failure(Path path, IOException cause) {
    return failure(
        path,
        cause,
        "files finished so far are kept: make room or give access, and run the same again to"
            + " resume");
  }

  /** The same for a result of one file, of which there is nothing to go on from. */
  static EncodeRunException failureOfOneFile(Path path, IOException cause) {
    return failure(path, cause, "make room or give access, and run the same again");
  }

  private static EncodeRunException failure(Path path, IOException cause, String advice) {
    String reason =
        cause instanceof FileSystemException refused
            ? FileProblem.describe(refused)
            : cause.getMessage();
    return new EncodeRunException(
        "%s: cannot be written: %s; %s".formatted(path, reason, advice), cause);
  }

  Path path() {
    return path;
  }

  @Override
  public String nameOf(String file) {
    return path.resolve(file).toString();
  }

  @Override
  public List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  @Override
  public Optional<String> read(String name) throws IOException {
    Path file = path.resolve(name);
    return Files.exists(file)
        ? Optional.of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8))
        : Optional.empty();
  }

  /** Writes a file in one step and waits until it is on the storage device. */
  @Override
  public void write(String name, String content) throws IOException {
    try {
      AtomicFile.write(path.resolve(name), content);
    } catch (IOException e) {
      throw failure(path, e);
    }
  }

  @Override
  public void delete(String name) throws IOException {
    try {
      Files.deleteIfExists(path.resolve(name));
    } catch (IOException e) {
      throw failure(path, e);
    }
  }

  @Override
  public void close() throws IOException {
    lockFile.close();
  }
}
