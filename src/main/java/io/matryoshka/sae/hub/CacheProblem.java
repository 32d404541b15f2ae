package io.matryoshka.sae.hub;

import java.nio.file.Path;
import java.util.Objects;

/**
 * Something wrong in the cache.
 *
 * @param kind what is wrong
 * @param path where
 * @param detail what was expected and found, for people to read
 */
public record CacheProblem(Kind kind, Path path, String detail) {
  /** What can be wrong. */
  public enum Kind {
    /** The content does not have the hash by which it is named; delete it and download it again. */
    CORRUPT,
    /** A link leads nowhere; the next download of the file repairs it. */
    DANGLING,
    /** A ref names a commit of which nothing is stored; harmless. */
    MISSING_REVISION,
    /** What an interrupted, or a running, download has left; the next one may use it. */
    UNFINISHED,
    /** It cannot be read; the detail says why. */
    UNREADABLE
  }

  /**
   * Checks that nothing is {@code null}.
   *
   * @param kind what is wrong
   * @param path where
   * @param detail what was expected and found, for people to read
   */
  public CacheProblem {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(detail, "detail");
  }
}
