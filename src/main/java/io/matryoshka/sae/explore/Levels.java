package io.matryoshka.sae.explore;

import io.matryoshka.sae.SAE;
import java.util.List;

/**
 * The Matryoshka levels of an SAE: level i holds the latents from the width before to width i.
 *
 * @param widths rising widths, the last one the number of latents
 */
record Levels(List<Integer> widths) {

  Levels {
    widths = List.copyOf(widths);
  }

  static Levels of(SAE sae) {
    return new Levels(sae.widths());
  }

  int count() {
    return widths.size();
  }

  int from(int level) {
    return level == 0 ? 0 : widths.get(level - 1);
  }

  int to(int level) {
    return widths.get(level);
  }

  int of(int latent) {
    int level = 0;
    while (latent >= widths.get(level)) {
      level++;
    }
    return level;
  }

  /** Level of every latent, for loops that look it up often. */
  int[] table() {
    int[] table = new int[to(count() - 1)];
    for (int level = 0; level < count(); level++) {
      java.util.Arrays.fill(table, from(level), to(level), level);
    }
    return table;
  }

  /** The range of a level for people, such as {@code 32–127}. */
  String range(int level) {
    return from(level) + "–" + (to(level) - 1);
  }
}
