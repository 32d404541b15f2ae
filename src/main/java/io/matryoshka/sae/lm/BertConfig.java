package io.matryoshka.sae.lm;

import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The sizes and constants of a BERT encoder, as its {@code config.json} gives them.
 *
 * @param hiddenSize the width of what goes from layer to layer, a multiple of {@code heads}
 * @param intermediateSize the width inside the MLP
 * @param heads the number of heads
 * @param layerCount the number of layers
 * @param vocabularySize the number of token ids
 * @param maxPositions the largest number of tokens of one text
 * @param tokenTypes the number of token types, of which the first is used
 * @param normEpsilon what is added to the variance in the norms
 * @param activation the function inside the MLP
 */
public record BertConfig(
    int hiddenSize,
    int intermediateSize,
    int heads,
    int layerCount,
    int vocabularySize,
    int maxPositions,
    int tokenTypes,
    double normEpsilon,
    Activation activation)
    implements LanguageModelConfig {

  /** The functions that BERTs have inside the MLP. */
  public enum Activation {
    /** {@code x / 2 * (1 + erf(x / sqrt(2)))}. */
    GELU("none"),
    /** {@code x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))}. */
    GELU_TANH("tanh");

    private final String approximation;

    Activation(String approximation) {
      this.approximation = approximation;
    }

    /** As PyTorch's {@code gelu} names it. */
    String approximation() {
      return approximation;
    }
  }

  /**
   * Checks that there is an activation.
   *
   * @param hiddenSize the width of what goes from layer to layer
   * @param intermediateSize the width inside the MLP
   * @param heads the number of heads
   * @param layerCount the number of layers
   * @param vocabularySize the number of token ids
   * @param maxPositions the largest number of tokens
   * @param tokenTypes the number of token types
   * @param normEpsilon the constant of the norms
   * @param activation the function inside the MLP
   */
  public BertConfig {
    Objects.requireNonNull(activation, "activation");
  }

  @Override
  public String modelType() {
    return BertConfigReader.MODEL_TYPE;
  }

  @Override
  public boolean isEncoder() {
    return true;
  }

  @Override
  public int headDim() {
    return hiddenSize / heads;
  }

  @Override
  public OptionalInt bos() {
    return OptionalInt.empty();
  }

  @Override
  public Set<Integer> eos() {
    return Set.of();
  }
}
