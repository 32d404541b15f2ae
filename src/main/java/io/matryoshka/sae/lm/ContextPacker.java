package io.matryoshka.sae.lm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Packs documents into contexts; see {@link PackingOptions}. Not for use by several threads.
 *
 * <p>SAELens drops what is left when the last document ends within a context; {@link #rest} gives
 * it.
 */
public final class ContextPacker {

  private final PackingOptions options;
  private final int[] context;

  /** The text of each id that was met, kept once however often it comes. */
  private final Map<Integer, String> pieces;

  private int size;

  /**
   * Starts with an empty context. Tokens that packing itself adds, such as BOS, are known by their
   * ids alone; {@link LanguageModel#packer} knows their texts.
   *
   * @param options how to pack
   */
  public ContextPacker(PackingOptions options) {
    this(options, Map.of());
  }

  ContextPacker(PackingOptions options, Map<Integer, String> pieces) {
    this.options = options;
    this.context = new int[options.contextSize()];
    this.pieces = new HashMap<>(pieces);
  }

  /**
   * Adds a document.
   *
   * @param document its tokens, without BOS of the library's own
   * @return the contexts that became full
   */
  public List<Tokens> add(Tokens document) {
    List<Tokens> full = new ArrayList<>();
    int[] ids = document.ids();
    for (int i = 0; i < ids.length; i++) {
      pieces.putIfAbsent(ids[i], document.piece(i));
    }
    for (int next = 0; next < ids.length; ) {
      if (size == 0) {
        prefix(options.first(), ids[next]);
      } else if (next == 0) {
        prefix(options.separator(), ids[0]);
      }
      int count = Math.min(ids.length - next, context.length - size);
      System.arraycopy(ids, next, context, size, count);
      size += count;
      next += count;
      if (size == context.length) {
        full.add(packed());
        size = 0;
      }
    }
    return full;
  }

  private void prefix(OptionalInt id, int following) {
    if (id.isPresent() && id.getAsInt() != following) {
      context[size++] = id.getAsInt();
    }
  }

  /**
   * Gives the context that is not full yet.
   *
   * @return its tokens; empty if no token is left
   */
  public Optional<Tokens> rest() {
    return size == 0 ? Optional.empty() : Optional.of(packed());
  }

  private Tokens packed() {
    int[] ids = Arrays.copyOf(context, size);
    List<String> texts =
        Arrays.stream(ids).mapToObj(id -> pieces.getOrDefault(id, Tokens.nameless(id))).toList();
    return new Tokens(ids, texts, List.of());
  }
}
