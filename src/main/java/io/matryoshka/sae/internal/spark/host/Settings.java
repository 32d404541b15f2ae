package io.matryoshka.sae.internal.spark.host;

import java.util.Objects;
import java.util.TreeMap;

/** Settings of a reference, which are texts so that every Spark can serialise them. */
final class Settings {

  private Settings() {}

  /** Returns a copy with one more setting. */
  static TreeMap<String, String> with(TreeMap<String, String> settings, String key, String value) {
    TreeMap<String, String> changed = new TreeMap<>(settings);
    changed.put(key, Objects.requireNonNull(value, key));
    return changed;
  }
}
