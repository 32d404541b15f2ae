package io.matryoshka.sae.lm;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Texts that go through the model together, padded on the right. With causal attention no token
 * sees the padding after it; an encoder masks it by {@link #lengths}. So padding changes no value.
 */
final class TokenBatch {

  private final List<Tokens> texts;
  private final int start;
  private final int length;
  private final int bos;

  /**
   * Joins texts.
   *
   * @param texts at least one, none empty
   * @param start the position of their first token, above 0 where earlier ones are cached
   * @param bos the id of BOS, -1 for none
   */
  TokenBatch(List<Tokens> texts, int start, int bos) {
    this.texts = List.copyOf(texts);
    this.start = start;
    this.bos = bos;
    this.length = texts.stream().mapToInt(Tokens::size).max().orElseThrow();
  }

  int size() {
    return texts.size();
  }

  int start() {
    return start;
  }

  /** Tokens of the longest text. */
  int length() {
    return length;
  }

  /** The ids {@code [size, length]} row by row, 0 in the padding. */
  long[] ids() {
    long[] ids = new long[size() * length];
    for (int t = 0; t < size(); t++) {
      for (int i = 0; i < texts.get(t).size(); i++) {
        ids[t * length + i] = texts.get(t).id(i);
      }
    }
    return ids;
  }

  /** The number of tokens of each text. */
  long[] lengths() {
    return texts.stream().mapToLong(Tokens::size).toArray();
  }

  /** The flat indices of all tokens, text after text; empty if nothing is padded. */
  long[] tokenRows() {
    boolean padded = texts.stream().anyMatch(text -> text.size() < length);
    return padded ? select((position, isBos) -> true) : new long[0];
  }

  /** Something that picks tokens. */
  @FunctionalInterface
  interface Choice {
    boolean test(int position, boolean isBos);
  }

  /** The flat indices of some tokens. */
  long[] select(Choice choice) {
    List<LongStream> rows = new ArrayList<>();
    for (int t = 0; t < size(); t++) {
      Tokens text = texts.get(t);
      long first = (long) t * length;
      rows.add(
          LongStream.range(0, text.size())
              .filter(i -> choice.test(start + (int) i, text.id((int) i) == bos))
              .map(i -> first + i));
    }
    return rows.stream().flatMapToLong(stream -> stream).toArray();
  }
}
