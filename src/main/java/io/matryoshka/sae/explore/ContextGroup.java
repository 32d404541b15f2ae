package io.matryoshka.sae.explore;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Contexts with the same tokens, as a text that comes again and again gives them.
 *
 * @param first the strongest of them
 * @param times how many there are
 */
record ContextGroup(TopContext first, int times) {

  /** What two contexts of one text have in common. */
  private record Key(List<String> texts, long place) {}

  /** Merges contexts by their tokens; without tokens each is one of its own. */
  static List<ContextGroup> of(List<TopContext> contexts, Optional<Tokens> tokens) {
    if (tokens.isEmpty()) {
      return contexts.stream().map(context -> new ContextGroup(context, 1)).toList();
    }
    Map<Key, ContextGroup> groups = new LinkedHashMap<>();
    for (TopContext context : contexts) {
      groups.merge(
          key(context, tokens.get()),
          new ContextGroup(context, 1),
          (before, one) -> new ContextGroup(before.first, before.times + 1));
    }
    return List.copyOf(groups.values());
  }

  private static Key key(TopContext context, Tokens tokens) {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < context.activations().length; i++) {
      texts.add(tokens.text(Math.toIntExact(context.firstRow() + i)));
    }
    return new Key(texts, context.row() - context.firstRow());
  }
}
