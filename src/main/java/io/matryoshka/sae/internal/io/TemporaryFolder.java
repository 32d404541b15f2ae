package io.matryoshka.sae.internal.io;

import java.io.IOException;
import java.nio.file.FileSystemException;

/** The folder for temporary files that Java and DJL use. */
public final class TemporaryFolder {

  private TemporaryFolder() {}

  /**
   * Describes the failure of a library that writes temporary files and does not say where.
   *
   * @param cause what it said
   * @return a failure that names the folder and what to do
   */
  public static FileSystemException notWritten(IOException cause) {
    String reason =
        cause instanceof FileSystemException refused
            ? FileProblem.describe(refused)
            : cause.getMessage();
    FileSystemException named =
        new FileSystemException(
            System.getProperty("java.io.tmpdir"),
            null,
            "temporary files cannot be written (%s); make room, or set java.io.tmpdir to another folder"
                .formatted(reason));
    named.initCause(cause);
    return named;
  }
}
