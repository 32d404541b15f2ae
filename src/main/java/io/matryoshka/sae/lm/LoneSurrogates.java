package io.matryoshka.sae.lm;

import java.util.stream.IntStream;

/**
 * Halves of surrogate pairs, which stand for no character. JSON can hold them ({@code "\\ud800"}),
 * and texts from the web do; no tokenizer takes them.
 */
final class LoneSurrogates {

  private static final char REPLACEMENT = '\uFFFD';

  private LoneSurrogates() {}

  /** Puts U+FFFD in the place of each, so that the length in UTF-16 units stays as it is. */
  static String replace(String text) {
    if (count(text) == 0) {
      return text;
    }
    StringBuilder replaced = new StringBuilder(text);
    positions(text).forEach(i -> replaced.setCharAt(i, REPLACEMENT));
    return replaced.toString();
  }

  /** Returns how many a text holds. */
  static long count(String text) {
    return positions(text).count();
  }

  private static IntStream positions(String text) {
    return IntStream.range(0, text.length()).filter(i -> isLone(text, i));
  }

  private static boolean isLone(String text, int i) {
    char c = text.charAt(i);
    if (Character.isHighSurrogate(c)) {
      return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
    }
    return Character.isLowSurrogate(c)
        && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
  }
}
