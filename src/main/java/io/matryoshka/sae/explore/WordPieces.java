package io.matryoshka.sae.explore;

import java.util.List;

/**
 * Joins the pieces that tokenizers cut words into. WordPiece marks a piece that goes on ({@code
 * ##er}); SentencePiece and byte-level BPE mark one that begins a word, by {@code ▁}, {@code Ġ} or
 * a blank.
 */
final class WordPieces {

  private static final String GOES_ON = "##";
  private static final String BEGINS = "▁Ġ ";

  /** How byte-level BPE writes the end of a line. */
  private static final String NEWLINE = "Ċ";

  private final boolean marksBegins;

  private WordPieces(boolean marksBegins) {
    this.marksBegins = marksBegins;
  }

  /** Tells by all tokens which of the two ways they are marked. */
  static WordPieces of(List<String> texts) {
    boolean goesOn = texts.stream().anyMatch(text -> text.startsWith(GOES_ON));
    return new WordPieces(!goesOn && texts.stream().anyMatch(WordPieces::isMarked));
  }

  private static boolean isMarked(String text) {
    return text.length() > 1 && BEGINS.indexOf(text.charAt(0)) >= 0;
  }

  /** Whether a token goes on the word of the token before. */
  boolean goesOn(String text) {
    if (text.startsWith(NEWLINE)) {
      return false;
    }
    return marksBegins
        ? !text.isEmpty()
            && BEGINS.indexOf(text.charAt(0)) < 0
            && Character.isLetterOrDigit(text.codePointAt(0))
        : text.startsWith(GOES_ON) && text.length() > GOES_ON.length();
  }

  /** The token without its mark. */
  String piece(String text) {
    if (marksBegins) {
      return isMarked(text) ? text.substring(1) : text;
    }
    return goesOn(text) ? text.substring(GOES_ON.length()) : text;
  }
}
