package io.matryoshka.sae.support;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;

/** Splits rows into ranges of whole batches and merges their parts in a random order and tree. */
public final class Merging {

  private Merging() {}

  /** Consecutive rows. */
  public record Range(long from, long to) {}

  /** Makes the part of a range. */
  @FunctionalInterface
  public interface Maker<T> {
    T make(Range range) throws IOException;
  }

  /** Joins two parts to one. */
  @FunctionalInterface
  public interface Joiner<T> {
    T join(T one, T other) throws IOException;
  }

  /** Cuts rows at random multiples of the batch. */
  public static List<Range> split(Random random, long rows, int batchRows, int maxCuts) {
    TreeSet<Long> cuts = new TreeSet<>(List.of(0L, rows));
    int batches = (int) ((rows + batchRows - 1) / batchRows);
    for (int i = random.nextInt(maxCuts + 1); i > 0; i--) {
      cuts.add(Math.min(rows, (long) random.nextInt(batches + 1) * batchRows));
    }
    List<Range> ranges = new ArrayList<>();
    long from = 0;
    for (long cut : cuts.tailSet(1L)) {
      ranges.add(new Range(from, cut));
      from = cut;
    }
    return ranges;
  }

  /** Makes parts and joins any two of those left until one is left. */
  public static <T> T merge(Random random, List<Range> ranges, Maker<T> maker, Joiner<T> joiner)
      throws IOException {
    List<T> parts = new ArrayList<>();
    for (Range range : ranges) {
      parts.add(maker.make(range));
    }
    while (parts.size() > 1) {
      T one = parts.remove(random.nextInt(parts.size()));
      T other = parts.remove(random.nextInt(parts.size()));
      parts.add(joiner.join(one, other));
    }
    return parts.get(0);
  }
}
