package io.matryoshka.sae.hub;

import java.util.List;
import java.util.Objects;

/**
 * One commit of a repository, as far as it is in the cache.
 *
 * @param commit the full hash
 * @param refs branches and tags that named it when last seen, in order of name
 * @param files in order of name
 */
public record CachedRevision(String commit, List<String> refs, List<CachedFile> files) {
  /**
   * Copies the lists.
   *
   * @param commit the full hash
   * @param refs branches and tags that named it when last seen, in order of name
   * @param files in order of name
   */
  public CachedRevision {
    Objects.requireNonNull(commit, "commit");
    refs = List.copyOf(refs);
    files = List.copyOf(files);
  }
}
