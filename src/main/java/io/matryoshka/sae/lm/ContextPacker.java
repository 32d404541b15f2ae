package io.matryoshka.sae.lm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
  private int size;

  /**
   * Starts with an empty context.
   *
   * @param options how to pack
   */
  public ContextPacker(PackingOptions options) {
    this.options = options;
    this.context = new int[options.contextSize()];
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
        full.add(Tokens.of(context));
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
    return size == 0 ? Optional.empty() : Optional.of(Tokens.of(Arrays.copyOf(context, size)));
  }
}
