package io.matryoshka.sae.internal.io;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/**
 * Says in the reader's words why a file system refused; Java's failures often hold a path alone.
 */
public final class FileProblem {

  private FileProblem() {}

  /**
   * Describes a failure without the path, which the caller knows.
   *
   * @param failure what the file system threw
   * @return the reason that it holds, or one for its kind
   */
  public static String describe(FileSystemException failure) {
    if (failure.getReason() != null) {
      return failure.getReason();
    }
    if (failure instanceof NoSuchFileException) {
      return "no such file or folder";
    }
    if (failure instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (failure instanceof FileAlreadyExistsException) {
      return "exists already";
    }
    if (failure instanceof NotDirectoryException) {
      return "not a folder";
    }
    if (failure instanceof DirectoryNotEmptyException) {
      return "the folder is not empty";
    }
    return "the file system refuses";
  }

  /**
   * Names the folder of temporary files in the failure of a library that does not say where it
   * writes.
   *
   * @param cause what it said
   * @return a failure that names the folder and what to do
   */
  public static FileSystemException ofTemporaryFiles(IOException cause) {
    String reason =
        cause instanceof FileSystemException refused ? describe(refused) : cause.getMessage();
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
