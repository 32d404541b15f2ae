package io.matryoshka.sae.lm;

import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * The sizes and constants of a Gemma 2 or Gemma 3 text decoder, as its {@code config.json} gives
 * them.
 *
 * @param family the architecture
 * @param hiddenSize the width of the residual stream, {@code d_model}
 * @param intermediateSize the width inside the MLP
 * @param heads the number of query heads
 * @param keyValueHeads the number of key and value heads, a divisor of {@code heads}
 * @param headDim the width of one head, even
 * @param queryScalar attention scores are divided by the square root of this ({@code
 *     query_pre_attn_scalar})
 * @param normEpsilon what is added to the mean square in the norms
 * @param vocabularySize the number of token ids
 * @param maxPositions the largest number of tokens of one text
 * @param slidingWindow how many tokens a sliding layer sees, the token itself included
 * @param layers the attention of each layer, first layer first
 * @param fullRope the position encoding of full layers
 * @param slidingRope the position encoding of sliding layers
 * @param attentionSoftcap attention scores are {@code cap * tanh(score / cap)}; empty without cap
 * @param logitSoftcap logits are {@code cap * tanh(logit / cap)}; empty without cap
 * @param tiedHead whether the embedding also gives the logits; without it there is {@code
 *     lm_head.weight}
 * @param bos the id that begins a text, if the model has one
 * @param eos the ids that end a text
 */
public record GemmaConfig(
    Family family,
    int hiddenSize,
    int intermediateSize,
    int heads,
    int keyValueHeads,
    int headDim,
    double queryScalar,
    double normEpsilon,
    int vocabularySize,
    int maxPositions,
    int slidingWindow,
    List<Attention> layers,
    Rope fullRope,
    Rope slidingRope,
    OptionalDouble attentionSoftcap,
    OptionalDouble logitSoftcap,
    boolean tiedHead,
    OptionalInt bos,
    Set<Integer> eos)
    implements LanguageModelConfig {

  /** The architectures that run here. */
  public enum Family {
    /** Gemma 2: soft caps on scores and logits. */
    GEMMA2("gemma2", "gemma2"),
    /** Gemma 3: norms on queries and keys. */
    GEMMA3("gemma3", "gemma3_text");

    private final String wrapperType;
    private final String textType;

    Family(String wrapperType, String textType) {
      this.wrapperType = wrapperType;
      this.textType = textType;
    }

    static Optional<Family> of(String modelType) {
      for (Family family : values()) {
        if (modelType.equals(family.textType) || modelType.equals(family.wrapperType)) {
          return Optional.of(family);
        }
      }
      return Optional.empty();
    }
  }

  /** What a layer's attention sees. */
  public enum Attention {
    /** The last {@code slidingWindow} tokens. */
    SLIDING,
    /** All tokens before. */
    FULL
  }

  /**
   * A rotary position encoding.
   *
   * @param base the base of the frequencies ({@code rope_theta})
   * @param factor what the frequencies are divided by (linear scaling); 1 for none
   */
  public record Rope(double base, double factor) {}

  /**
   * Copies the collections.
   *
   * @param family the architecture
   * @param hiddenSize the width of the residual stream
   * @param intermediateSize the width inside the MLP
   * @param heads the number of query heads
   * @param keyValueHeads the number of key and value heads
   * @param headDim the width of one head
   * @param queryScalar the divisor of attention scores, squared
   * @param normEpsilon the constant of the norms
   * @param vocabularySize the number of token ids
   * @param maxPositions the largest number of tokens
   * @param slidingWindow the window of sliding layers
   * @param layers the attention of each layer
   * @param fullRope the position encoding of full layers
   * @param slidingRope the position encoding of sliding layers
   * @param attentionSoftcap the cap of scores
   * @param logitSoftcap the cap of logits
   * @param tiedHead whether the embedding gives the logits
   * @param bos the id that begins a text
   * @param eos the ids that end a text
   */
  public GemmaConfig {
    Objects.requireNonNull(family, "family");
    Objects.requireNonNull(fullRope, "fullRope");
    Objects.requireNonNull(slidingRope, "slidingRope");
    layers = List.copyOf(layers);
    // Sorted, so that the text of a configuration is the same in each JVM.
    eos = Collections.unmodifiableSortedSet(new TreeSet<>(eos));
  }

  @Override
  public String modelType() {
    return family.textType;
  }

  @Override
  public boolean isEncoder() {
    return false;
  }

  @Override
  public int layerCount() {
    return layers.size();
  }

  Rope rope(int layer) {
    return layers.get(layer) == Attention.FULL ? fullRope : slidingRope;
  }

  /** The window of a layer, 0 for none. */
  int window(int layer) {
    return layers.get(layer) == Attention.FULL ? 0 : slidingWindow;
  }
}
