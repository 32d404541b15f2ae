package io.matryoshka.sae.lm;

/** What texts and ids of users have in common, however they are written. */
final class InputFiles {

  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private InputFiles() {}

  /** Removes what some editors put before a text in UTF-8. */
  static String withoutByteOrderMark(String text) {
    return text.startsWith(BYTE_ORDER_MARK) ? text.substring(BYTE_ORDER_MARK.length()) : text;
  }
}
