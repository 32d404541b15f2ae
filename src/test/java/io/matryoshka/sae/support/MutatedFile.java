package io.matryoshka.sae.support;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A temporary file that a property writes again at each try, and reads while it is mapped. */
public final class MutatedFile {

  private final String suffix;

  private Path path;

  private MutatedFile(String suffix) throws IOException {
    this.suffix = suffix;
    path = Files.createTempFile("mutated", suffix);
  }

  /** Creates an empty file whose name ends so. */
  public static MutatedFile create(String suffix) throws IOException {
    return new MutatedFile(suffix);
  }

  /** Writes the file, or a new one on Windows, where a mapped file cannot be written again. */
  public Path write(byte[] bytes) throws IOException {
    try {
      Files.write(path, bytes);
    } catch (FileSystemException e) {
      path = Files.createTempFile("mutated", suffix);
      Files.write(path, bytes);
    }
    return path;
  }

  /** Deletes it; Windows refuses while the file is mapped, and it lies in target/ then. */
  public void delete() {
    path.toFile().delete();
  }
}
