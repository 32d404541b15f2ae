package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Which tokens the ranges of {@code --positions} reach; a range that reaches none does nothing. */
final class Reach {

  private final LanguageModel model;
  private final List<Intervention> ranges;
  private final List<IntRange> names;

  /**
   * Prepares for some ranges.
   *
   * @param change one of the changes that they limit
   */
  Reach(LanguageModel model, Intervention change, List<IntRange> ranges) {
    this.model = model;
    this.names = List.copyOf(ranges);
    this.ranges = names.stream().map(range -> change.positions(range::contains)).toList();
  }

  /**
   * Says which range reaches no token of any text.
   *
   * @param newTokens tokens that each text may get
   */
  Optional<String> problem(List<Tokens> texts, int newTokens) {
    return IntStream.range(0, names.size())
        .filter(r -> texts.stream().noneMatch(t -> model.isReached(t, newTokens, ranges.get(r))))
        .mapToObj(
            r ->
                "--positions: %s reaches no token: positions count from 0, and %s up to %d%s"
                    .formatted(
                        names.get(r),
                        texts.size() == 1 ? "the text is read" : "the longest text is read",
                        texts.stream()
                                .mapToInt(t -> model.positionsRead(t, newTokens))
                                .max()
                                .orElse(0)
                            - 1,
                        newTokens > 0 ? " with its new tokens" : ""))
        .findFirst();
  }

  /**
   * Says in how many texts a range reached no token.
   *
   * @param newTokens tokens that each text got
   */
  Optional<String> note(List<Tokens> texts, List<Integer> newTokens) {
    return IntStream.range(0, names.size())
        .mapToObj(r -> note(r, texts, newTokens))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private Optional<String> note(int range, List<Tokens> texts, List<Integer> newTokens) {
    long missed =
        IntStream.range(0, texts.size())
            .filter(t -> !model.isReached(texts.get(t), newTokens.get(t), ranges.get(range)))
            .count();
    return missed == 0
        ? Optional.empty()
        : Optional.of(
            "--positions: %s reached no token of %d of %s"
                .formatted(names.get(range), missed, Numbers.count(texts.size(), "text")));
  }
}
