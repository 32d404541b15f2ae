package io.matryoshka.sae.registry;

/**
 * How an SAE was trained, as its authors published it.
 *
 * @param tokens the number of token activations seen in training
 * @param dataset the text they came from, in words
 * @param loss the name of the reconstruction loss, such as {@code standard} or {@code
 *     mse-to-l2-snap}
 */
public record TrainingFacts(long tokens, String dataset, String loss) {

  /**
   * Checks the facts.
   *
   * @param tokens the number of token activations
   * @param dataset the text they came from
   * @param loss the name of the loss
   * @throws IllegalArgumentException if the number of tokens is not positive or a text is blank
   */
  public TrainingFacts {
    if (tokens < 1) {
      throw new IllegalArgumentException(
          "training.tokens: expected a positive number, got " + tokens);
    }
    Checks.requireText(dataset, "training.dataset");
    Checks.requireText(loss, "training.loss");
  }
}
