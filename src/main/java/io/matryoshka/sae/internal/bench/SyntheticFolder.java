package io.matryoshka.sae.internal.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The folder of a synthetic SAE on disk. A temporary one is deleted on closing, and also when the
 * JVM is told to end before that; a kept one serves the next run too.
 */
public final class SyntheticFolder implements AutoCloseable {

  private static final String PREFIX = "matryoshka-sae-benchmark";
  private static final String WEIGHTS = "sae_weights.safetensors";
  private static final String PREPARED = "*.encoder";
  private static final long SPARE_BYTES = 64L << 20;
  private static final double MEGABYTE = 1e6;

  /** A thread that still writes can put a file back; deleting is tried again. */
  private static final int DELETE_ATTEMPTS = 20;

  private static final int RETRY_MILLIS = 50;

  private final Path folder;
  private final Optional<Thread> cleanUp;

  private SyntheticFolder(Path folder, boolean temporary) {
    this.folder = folder;
    this.cleanUp =
        temporary ? Optional.of(new Thread(() -> deleteQuietly(folder))) : Optional.empty();
    cleanUp.ifPresent(Runtime.getRuntime()::addShutdownHook);
  }

  /**
   * Writes an SAE to a temporary folder.
   *
   * @param sae what to write
   * @return the folder
   * @throws IOException if there is too little space, or it cannot be written
   */
  public static SyntheticFolder temporary(SyntheticSae sae) throws IOException {
    SyntheticFolder made = new SyntheticFolder(Files.createTempDirectory(PREFIX), true);
    try {
      made.fill(sae);
      return made;
    } catch (IOException | RuntimeException | Error e) {
      made.close();
      throw e;
    }
  }

  /**
   * Writes an SAE to a folder of its own that stays, or takes the one that an earlier run left
   * there.
   *
   * @param sae what to write
   * @param parent holds one folder for each SAE; is created if needed
   * @return the folder
   * @throws IOException if there is too little space, or it cannot be written
   */
  public static SyntheticFolder kept(SyntheticSae sae, Path parent) throws IOException {
    Path folder = parent.resolve("synthetic-" + sae.dIn() + "x" + sae.dSae());
    Files.createDirectories(folder);
    SyntheticFolder made = new SyntheticFolder(folder, false);
    if (!Files.exists(folder.resolve(WEIGHTS))) {
      made.fill(sae);
    }
    return made;
  }

  private void fill(SyntheticSae sae) throws IOException {
    long free = Files.getFileStore(folder).getUsableSpace();
    long needed = sae.diskBytes() + SPARE_BYTES;
    if (free < needed) {
      throw new IOException(
          "a synthetic SAE with d_in %d and d_sae %d needs %.0f MB of disk, but %s has %.0f MB free; choose a smaller SAE, or a folder on another disk with --keep or java -Djava.io.tmpdir"
              .formatted(
                  sae.dIn(), sae.dSae(), needed / MEGABYTE, folder.getParent(), free / MEGABYTE));
    }
    sae.write(folder);
  }

  /**
   * Returns where the SAE is.
   *
   * @return a folder with {@code cfg.json} and {@code sae_weights.safetensors}
   */
  public Path path() {
    return folder;
  }

  /** Deletes the prepared data, so that the next encode makes it again. */
  void deletePreparedData() throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, PREPARED)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
  }

  /** Deletes a temporary folder; leaves a kept one. Closing twice is fine. */
  @Override
  public void close() {
    if (cleanUp.isEmpty()) {
      return;
    }
    deleteQuietly(folder);
    try {
      Runtime.getRuntime().removeShutdownHook(cleanUp.get());
    } catch (IllegalStateException e) {
      // The JVM is ending: the hook deletes what this call could not.
      return;
    }
  }

  private static void deleteQuietly(Path folder) {
    for (int attempt = 0; attempt < DELETE_ATTEMPTS && Files.exists(folder); attempt++) {
      if (attempt > 0 && !pause()) {
        return;
      }
      try (Stream<Path> all = Files.walk(folder)) {
        List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
        for (Path path : deepestFirst) {
          Files.deleteIfExists(path);
        }
      } catch (IOException | UncheckedIOException e) {
        continue;
      }
    }
  }

  private static boolean pause() {
    try {
      Thread.sleep(RETRY_MILLIS);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
