package io.matryoshka.sae.hub;

import java.util.List;

/**
 * What a check of the cache has found.
 *
 * @param verifiedFiles how many have the hash that they should
 * @param verifiedBytes their length together
 * @param unverifiableFiles how many have no hash to compare with: copies where links are off, and
 *     content that a mirror named in its own way
 * @param problems what is wrong, in order of path
 */
public record CacheVerification(
    int verifiedFiles, long verifiedBytes, int unverifiableFiles, List<CacheProblem> problems) {
  /**
   * Copies the list.
   *
   * @param verifiedFiles how many have the hash that they should
   * @param verifiedBytes their length together
   * @param unverifiableFiles how many have no hash to compare with: copies where links are off, and
   *     content that a mirror named in its own way
   * @param problems what is wrong, in order of path
   */
  public CacheVerification {
    problems = List.copyOf(problems);
  }

  /**
   * Tells whether all that is stored can be used.
   *
   * @return true if nothing is corrupt, dangling or unreadable
   */
  public boolean isSound() {
    return problems.stream()
        .allMatch(
            p ->
                p.kind() == CacheProblem.Kind.UNFINISHED
                    || p.kind() == CacheProblem.Kind.MISSING_REVISION);
  }
}
