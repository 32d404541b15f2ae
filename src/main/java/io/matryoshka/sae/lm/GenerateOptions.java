package io.matryoshka.sae.lm;

import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * How a continuation is generated. Immutable; each method returns a changed copy.
 *
 * @param maxNewTokens tokens to generate at most, at least 0
 * @param temperature what logits are divided by; 0 for the most likely token each time (greedy; of
 *     equal ones the lowest id)
 * @param topK only the k most likely tokens are drawn from; 0 for all
 * @param topP only the most likely tokens are drawn from whose probabilities reach this sum; 1 for
 *     all
 * @param seed of the draws: the same seed gives the same text
 * @param stopAtEnd whether a token that ends a text, by the model's configuration, ends generation
 * @param stopIds further ids that end generation; the one that does is part of the result
 * @param stopTexts texts that end generation; the text is cut before them
 * @param cached whether keys and values of earlier tokens are kept; without it each token costs a
 *     pass over the whole text, with the same values up to rounding
 * @param listener is told of each token
 */
public record GenerateOptions(
    int maxNewTokens,
    double temperature,
    int topK,
    double topP,
    long seed,
    boolean stopAtEnd,
    Set<Integer> stopIds,
    List<String> stopTexts,
    boolean cached,
    TokenListener listener) {

  /**
   * Checks the values.
   *
   * @param maxNewTokens at least 0
   * @param temperature at least 0
   * @param topK at least 0
   * @param topP above 0, at most 1
   * @param seed any
   * @param stopAtEnd whether the model's end tokens end generation
   * @param stopIds further ids that end generation
   * @param stopTexts texts that end generation
   * @param cached whether keys and values are kept
   * @param listener is told of each token
   */
  public GenerateOptions {
    if (maxNewTokens < 0) {
      throw new IllegalArgumentException("new tokens: expected at least 0, got " + maxNewTokens);
    }
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException(
          "temperature: expected a finite number of at least 0, got " + temperature);
    }
    if (topK < 0) {
      throw new IllegalArgumentException("top-k: expected at least 0, got " + topK);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException(
          "top-p: expected a number above 0 and at most 1, got " + topP);
    }
    stopIds = Set.copyOf(stopIds);
    stopTexts = List.copyOf(stopTexts);
    if (stopTexts.contains("")) {
      throw new IllegalArgumentException("stop text: expected a text, got an empty one");
    }
    Objects.requireNonNull(listener, "listener");
  }

  /**
   * Returns options that take the most likely token each time.
   *
   * @param maxNewTokens tokens to generate at most
   * @return the options
   */
  public static GenerateOptions greedy(int maxNewTokens) {
    return new GenerateOptions(
        maxNewTokens, 0, 0, 1, 0, true, Set.of(), List.of(), true, (id, text) -> {});
  }

  /**
   * Returns options that draw tokens by their probability.
   *
   * @param maxNewTokens tokens to generate at most
   * @param temperature what logits are divided by
   * @param seed of the draws
   * @return the options
   */
  public static GenerateOptions sampling(int maxNewTokens, double temperature, long seed) {
    return new GenerateOptions(
        maxNewTokens, temperature, 0, 1, seed, true, Set.of(), List.of(), true, (id, text) -> {});
  }

  /**
   * Limits the draw to the most likely tokens.
   *
   * @param k how many; 0 for all
   * @return changed options
   */
  public GenerateOptions topK(int k) {
    return new GenerateOptions(
        maxNewTokens, temperature, k, topP, seed, stopAtEnd, stopIds, stopTexts, cached, listener);
  }

  /**
   * Limits the draw to the most likely tokens that reach a sum of probabilities.
   *
   * @param p the sum; 1 for all
   * @return changed options
   */
  public GenerateOptions topP(double p) {
    return new GenerateOptions(
        maxNewTokens, temperature, topK, p, seed, stopAtEnd, stopIds, stopTexts, cached, listener);
  }

  /**
   * Sets whether the model's end tokens end generation.
   *
   * @param stop true, the default, to end there
   * @return changed options
   */
  public GenerateOptions stopAtEnd(boolean stop) {
    return new GenerateOptions(
        maxNewTokens, temperature, topK, topP, seed, stop, stopIds, stopTexts, cached, listener);
  }

  /**
   * Sets further ids that end generation.
   *
   * @param ids the ids
   * @return changed options
   */
  public GenerateOptions stopIds(Set<Integer> ids) {
    return new GenerateOptions(
        maxNewTokens, temperature, topK, topP, seed, stopAtEnd, ids, stopTexts, cached, listener);
  }

  /**
   * Sets texts that end generation.
   *
   * @param texts the texts
   * @return changed options
   */
  public GenerateOptions stopTexts(List<String> texts) {
    return new GenerateOptions(
        maxNewTokens, temperature, topK, topP, seed, stopAtEnd, stopIds, texts, cached, listener);
  }

  /**
   * Sets whether keys and values are kept.
   *
   * @param keep true, the default, to keep them
   * @return changed options
   */
  public GenerateOptions cached(boolean keep) {
    return new GenerateOptions(
        maxNewTokens, temperature, topK, topP, seed, stopAtEnd, stopIds, stopTexts, keep, listener);
  }

  /**
   * Sets who is told of each token.
   *
   * @param told the listener
   * @return changed options
   */
  public GenerateOptions listener(TokenListener told) {
    return new GenerateOptions(
        maxNewTokens, temperature, topK, topP, seed, stopAtEnd, stopIds, stopTexts, cached, told);
  }
}
