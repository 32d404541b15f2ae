package io.matryoshka.sae.internal.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Tells names on the Hub, and of releases, from paths of files. */
final class Names {

  private Names() {}

  /** Whether a name can only be a path: owner/repo begins neither with / nor with a dot. */
  static boolean isPath(String name) {
    try {
      Path path = Path.of(name);
      return path.getRoot() != null || path.startsWith(".") || path.startsWith("..");
    } catch (InvalidPathException e) {
      return false;
    }
  }
}
