package io.matryoshka.sae.lm;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The special tokens before and after the tokens of each text. */
record Frame(Tokens before, Tokens after) {

  static final Frame NONE = new Frame(Tokens.of(), Tokens.of());

  /** The frame of a decoder. */
  static Frame bos(int id, String piece) {
    Tokens bos = new Tokens(new int[] {id}, List.of(piece), List.of(Optional.empty()));
    return new Frame(bos, Tokens.of());
  }

  int size() {
    return before.size() + after.size();
  }

  Set<Integer> ids() {
    return IntStream.concat(IntStream.of(before.ids()), IntStream.of(after.ids()))
        .boxed()
        .collect(Collectors.toUnmodifiableSet());
  }

  Tokens around(Tokens text) {
    return Tokens.join(List.of(before, text, after));
  }
}
