package io.matryoshka.sae.internal.cli;

/** The colours of Matryoshka levels on a terminal. */
final class LevelColours {

  /** Cyan, green, yellow, magenta, blue, red: readable on dark and light terminals. */
  private static final int[] COLOURS = {36, 32, 33, 35, 34, 31};

  private LevelColours() {}

  /** Gives a text the colour of a level, or leaves it as it is. */
  static String paint(String text, int level, boolean colours) {
    return colours ? "\u001b[" + COLOURS[level % COLOURS.length] + "m" + text + "\u001b[0m" : text;
  }
}
