package io.matryoshka.sae.internal.serve.view;

import java.util.LinkedHashMap;
import java.util.Map;

/** A map that forgets what was not asked for the longest. For use under one lock. */
final class LastUsed<K, V> extends LinkedHashMap<K, V> {

  private static final long serialVersionUID = 1;

  private final int kept;

  LastUsed(int kept) {
    super(16, 0.75f, true);
    this.kept = kept;
  }

  @Override
  protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
    return size() > kept;
  }
}
