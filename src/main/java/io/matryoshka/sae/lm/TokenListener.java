package io.matryoshka.sae.lm;

/** Is told of each token as it is generated, on the thread that generates. */
@FunctionalInterface
public interface TokenListener {

  /**
   * Takes a token.
   *
   * @param id its id
   * @param text what it adds to the text so far; empty where the model has no tokenizer, and for a
   *     token that completes no character yet
   */
  void token(int id, String text);
}
