package io.matryoshka.sae.lm;

/**
 * A generated continuation.
 *
 * @param tokens the new tokens without the prompt
 * @param text what they say, without the stop text; empty where the model has no tokenizer
 * @param end why generation ended
 */
public record Generation(Tokens tokens, String text, End end) {

  /** Why generation ended. */
  public enum End {
    /** As many tokens as were asked for. */
    LENGTH,
    /** The model predicted a token that ends the text, or one of the stop ids. */
    STOP_TOKEN,
    /** A stop text came. */
    STOP_TEXT,
    /** The model takes no longer text. */
    POSITIONS
  }
}
