package io.matryoshka.sae.cli;

import io.matryoshka.sae.SAE;
import java.util.ArrayList;
import java.util.List;

/** The Matryoshka levels of an SAE: their latents, their names for people and their colours. */
final class Levels {

  /** Cyan, green, yellow, magenta, blue, red: readable on dark and light terminals. */
  private static final int[] COLOURS = {36, 32, 33, 35, 34, 31};

  private final List<Level> levels = new ArrayList<>();

  /**
   * One level.
   *
   * @param index its number, from 0
   * @param from its first latent
   * @param to the first latent after it, which is its prefix width
   */
  record Level(int index, int from, int to) {

    /** Its latents, as {@code 32-127}. */
    String latents() {
      return from + "-" + (to - 1);
    }
  }

  private Levels(List<Integer> widths) {
    int from = 0;
    for (int width : widths) {
      levels.add(new Level(levels.size(), from, width));
      from = width;
    }
  }

  static Levels of(SAE sae) {
    return new Levels(sae.widths());
  }

  List<Level> all() {
    return List.copyOf(levels);
  }

  /** The level that a latent belongs to. */
  Level of(int latent) {
    return levels.stream().filter(level -> latent < level.to()).findFirst().orElseThrow();
  }

  /** Gives a text the colour of a level, or leaves it as it is. */
  static String paint(String text, Level level, boolean colours) {
    return colours
        ? "\u001b[" + COLOURS[level.index() % COLOURS.length] + "m" + text + "\u001b[0m"
        : text;
  }
}
