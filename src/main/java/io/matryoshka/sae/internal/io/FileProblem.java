package io.matryoshka.sae.internal.io;

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
}
