package io.matryoshka.sae.explore;

import io.matryoshka.sae.internal.state.StateReader;
import io.matryoshka.sae.internal.state.StateWriter;
import io.matryoshka.sae.stream.StateException;
import java.util.Arrays;

/**
 * Counts pairs of latents in bounded memory: a hash table that doubles up to a limit. When it is
 * full there, the rarest half of the pairs is dropped, and {@link #missed} bounds what was lost
 * (lossy counting after Manku and Motwani, 2002, with a drop when the table is full in place of one
 * at fixed intervals).
 */
final class PairCounts {

  private static final long FREE = -1;
  private static final int FIRST_SLOTS = 1 << 12;

  private final int limit;
  private long[] keys;
  private long[] counts;
  private int size;
  private long missed;

  /**
   * @param limit most pairs kept at a time
   */
  PairCounts(int limit) {
    this.limit = limit;
    allocate(FIRST_SLOTS);
  }

  private void allocate(int slots) {
    keys = new long[slots];
    Arrays.fill(keys, FREE);
    counts = new long[slots];
    size = 0;
  }

  static long key(int first, int second) {
    return (long) first << 32 | second;
  }

  static int first(long key) {
    return (int) (key >>> 32);
  }

  static int second(long key) {
    return (int) key;
  }

  void increment(int first, int second) {
    add(key(first, second), 1);
  }

  void add(long key, long by) {
    int slot = slot(key);
    if (keys[slot] == FREE) {
      if (size >= limit) {
        dropRarest();
        slot = slot(key);
      } else if (size + size / 2 >= keys.length) {
        rebuild(keys.length * 2, 0);
        slot = slot(key);
      }
      keys[slot] = key;
      size++;
    }
    counts[slot] += by;
  }

  private int slot(long key) {
    long hash = key * 0x9e3779b97f4a7c15L;
    int slot = (int) (hash >>> 32) & keys.length - 1;
    while (keys[slot] != FREE && keys[slot] != key) {
      slot = slot + 1 & keys.length - 1;
    }
    return slot;
  }

  private void dropRarest() {
    long[] sorted = Arrays.stream(counts).filter(c -> c > 0).sorted().toArray();
    long median = sorted[sorted.length / 2];
    rebuild(keys.length, median);
    // A dropped pair had counted at most this much, on top of what was missed before it came.
    missed += median;
  }

  private void rebuild(int slots, long dropUpTo) {
    long[] oldKeys = keys;
    long[] oldCounts = counts;
    allocate(slots);
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] != FREE && oldCounts[i] > dropUpTo) {
        int slot = slot(oldKeys[i]);
        keys[slot] = oldKeys[i];
        counts[slot] = oldCounts[i];
        size++;
      }
    }
  }

  /**
   * Adds the counts of other rows. What the other one missed is missed here, too; the sum of both
   * is exact where neither missed any and all pairs fit.
   */
  void merge(PairCounts other) {
    for (long key : other.keys(1)) {
      add(key, other.count(first(key), second(key)));
    }
    missed += other.missed;
  }

  /** Number of pairs that are kept. */
  int size() {
    return size;
  }

  void writeTo(StateWriter out) {
    out.add(missed);
    out.add(size);
    for (long key : keys(1)) {
      out.add(key);
      out.add(count(first(key), second(key)));
    }
  }

  void mergeFrom(StateReader in) throws StateException {
    long otherMissed = in.nextLong();
    for (int pairs = in.nextCount(Integer.MAX_VALUE); pairs > 0; pairs--) {
      long key = in.nextLong();
      add(key, in.nextLong());
    }
    missed += otherMissed;
  }

  /** By how much a count may be too small; a pair that is not kept occurred at most as often. */
  long missed() {
    return missed;
  }

  /** Count of a pair, 0 if it is not kept. */
  long count(int first, int second) {
    int slot = slot(key(first, second));
    return keys[slot] == FREE ? 0 : counts[slot];
  }

  /** Keys of the pairs with at least some count, rising. */
  long[] keys(int atLeast) {
    long[] found = new long[size];
    int n = 0;
    for (int i = 0; i < keys.length; i++) {
      if (keys[i] != FREE && counts[i] >= atLeast) {
        found[n++] = keys[i];
      }
    }
    found = Arrays.copyOf(found, n);
    Arrays.sort(found);
    return found;
  }
}
