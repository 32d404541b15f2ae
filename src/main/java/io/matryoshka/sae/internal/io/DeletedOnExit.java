package io.matryoshka.sae.internal.io;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * Files and folders that are deleted when the program ends while they are in use: by Ctrl-C,
 * SIGTERM or {@link System#exit}. What {@code kill -9} leaves is the business of {@link
 * TemporaryFile#removeAbandoned} and {@link TemporaryFolder}.
 */
public final class DeletedOnExit {

  // Both are guarded by the class.
  private static final Set<Path> PATHS = new HashSet<>();
  private static boolean ending;

  static {
    try {
      Runtime.getRuntime()
          .addShutdownHook(new Thread(DeletedOnExit::deleteAll, "matryoshka-clean"));
    } catch (IllegalStateException e) {
      ending = true; // The first temporary file of a program that is already ending.
    }
  }

  private DeletedOnExit() {}

  /**
   * Adds a path, which need not exist yet.
   *
   * @param path a file or folder
   * @throws InterruptedIOException if the program is ending, so that nobody would delete it
   */
  public static synchronized void add(Path path) throws InterruptedIOException {
    if (ending) {
      throw new InterruptedIOException(path + ": not written, as the program is being stopped");
    }
    PATHS.add(path.toAbsolutePath());
  }

  /**
   * Takes a path off the list, as it was deleted or is to stay.
   *
   * @param path what was added
   */
  public static synchronized void remove(Path path) {
    PATHS.remove(path.toAbsolutePath());
  }

  /** Tells whether this program uses a path. */
  static synchronized boolean contains(Path path) {
    return PATHS.contains(path.toAbsolutePath());
  }

  private static synchronized void deleteAll() {
    ending = true;
    for (Path path : PATHS) {
      try {
        delete(path);
      } catch (IOException e) {
        continue; // Windows deletes no open file; the next run removes it.
      }
    }
  }

  /**
   * Deletes a file, or a folder with all that it holds, if it exists.
   *
   * @param path what to delete
   * @throws IOException if something cannot be deleted
   */
  public static void delete(Path path) throws IOException {
    if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
        for (Path entry : entries) {
          delete(entry);
        }
      }
    }
    Files.deleteIfExists(path);
  }
}
