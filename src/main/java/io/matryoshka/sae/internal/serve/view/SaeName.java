package io.matryoshka.sae.internal.serve.view;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How an SAE is called.
 *
 * @param key tells it from the others, the same on every start
 * @param release its release, empty for a folder
 * @param saeId its id in the release, empty for a folder
 * @param java the Java expression that loads it
 * @param javaModel the Java expression that loads its language model
 * @param words what names it, and its model where that was named, on the command line
 */
public record SaeName(
    String key,
    Optional<String> release,
    Optional<String> saeId,
    String java,
    String javaModel,
    List<String> words) {

  /**
   * Copies the list.
   *
   * @param key tells it from the others
   * @param release its release
   * @param saeId its id in the release
   * @param java loads it in Java
   * @param javaModel loads its language model in Java
   * @param words name it on the command line
   */
  public SaeName {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(release, "release");
    Objects.requireNonNull(saeId, "saeId");
    Objects.requireNonNull(java, "java");
    Objects.requireNonNull(javaModel, "javaModel");
    words = List.copyOf(words);
  }
}
