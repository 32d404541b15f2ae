package io.matryoshka.sae.lm;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The tokens of one text: their ids and, if they come from a tokenizer, the text of each and where
 * it stands.
 */
public final class Tokens {

  private final int[] ids;
  private final List<String> pieces;
  private final List<Optional<Span>> spans;
  private final Optional<String> origin;

  /**
   * A part of a text, in UTF-16 units as {@link String#substring} counts.
   *
   * @param start the first unit
   * @param end the unit after the last
   */
  public record Span(int start, int end) {}

  Tokens(int[] ids, List<String> pieces, List<Optional<Span>> spans) {
    this(ids, List.copyOf(pieces), List.copyOf(spans), Optional.empty());
  }

  private Tokens(
      int[] ids, List<String> pieces, List<Optional<Span>> spans, Optional<String> origin) {
    this.ids = ids;
    this.pieces = pieces;
    this.spans = spans;
    this.origin = origin;
  }

  /**
   * Makes tokens of ids alone.
   *
   * @param ids token ids, taken as they are: no BOS is added
   * @return the tokens
   * @throws IllegalArgumentException if an id is negative
   */
  public static Tokens of(int... ids) {
    for (int id : ids) {
      if (id < 0) {
        throw new IllegalArgumentException("token ids must be at least 0, got " + id);
      }
    }
    return new Tokens(ids.clone(), List.of(), List.of());
  }

  /**
   * Says where the text comes from, for messages of what is wrong with it. Tokens from different
   * places are equal where their ids are.
   *
   * @param place such as {@code ids.json, text 3}
   * @return the same tokens
   */
  public Tokens from(String place) {
    return new Tokens(ids, pieces, spans, Optional.of(place));
  }

  /** Where the text comes from, where that was said. */
  Optional<String> origin() {
    return origin;
  }

  /**
   * Returns the number of tokens.
   *
   * @return 0 for no tokens
   */
  public int size() {
    return ids.length;
  }

  /**
   * Returns the ids.
   *
   * @return a copy, one for each token
   */
  public int[] ids() {
    return ids.clone();
  }

  /**
   * Returns an id.
   *
   * @param position the position, counted from 0
   * @return the token id
   */
  public int id(int position) {
    return ids[Objects.checkIndex(position, ids.length)];
  }

  /**
   * Returns the text of a token as the vocabulary spells it, such as {@code ▁the}.
   *
   * @param position the position, counted from 0
   * @return the spelling; the id in angle brackets, such as {@code <497>}, where only ids are known
   */
  public String piece(int position) {
    int id = id(position);
    return pieces.isEmpty() ? nameless(id) : pieces.get(position);
  }

  /** What stands for the text of a token of which only the id is known. */
  static String nameless(int id) {
    return "<" + id + ">";
  }

  /**
   * Returns the texts of all tokens.
   *
   * @return one {@link #piece} for each token
   */
  public List<String> pieces() {
    return IntStream.range(0, ids.length).mapToObj(this::piece).toList();
  }

  /**
   * Returns where a token stands in the text.
   *
   * @param position the position, counted from 0
   * @return the span; empty for a special token such as BOS, and where only ids are known
   */
  public Optional<Span> span(int position) {
    Objects.checkIndex(position, ids.length);
    return spans.isEmpty() ? Optional.empty() : spans.get(position);
  }

  /**
   * Returns consecutive tokens.
   *
   * @param from the first position
   * @param to the position after the last
   * @return those tokens; spans go on to count in the whole text
   */
  public Tokens range(int from, int to) {
    Objects.checkFromToIndex(from, to, ids.length);
    return new Tokens(
        Arrays.copyOfRange(ids, from, to),
        pieces.isEmpty() ? pieces : List.copyOf(pieces.subList(from, to)),
        spans.isEmpty() ? spans : List.copyOf(spans.subList(from, to)),
        origin);
  }

  /** Puts tokens one after the other; each part keeps its own pieces and spans. */
  static Tokens join(List<Tokens> parts) {
    int[] ids = parts.stream().flatMapToInt(part -> Arrays.stream(part.ids)).toArray();
    List<String> pieces = new ArrayList<>();
    List<Optional<Span>> spans = new ArrayList<>();
    for (Tokens part : parts) {
      pieces.addAll(part.pieces());
      IntStream.range(0, part.size()).forEach(i -> spans.add(part.span(i)));
    }
    return new Tokens(ids, pieces, spans);
  }

  /** The number of tokens and the ids, to tell texts apart. */
  byte[] fingerprintBytes() {
    ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(ids.length + 1, Integer.BYTES));
    bytes.putInt(ids.length).asIntBuffer().put(ids);
    return bytes.array();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Tokens t && Arrays.equals(ids, t.ids);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ids);
  }

  /**
   * Returns the tokens for people to read.
   *
   * @return the pieces
   */
  @Override
  public String toString() {
    return pieces().toString();
  }
}
