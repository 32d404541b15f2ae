package io.matryoshka.sae.lm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.Set;

/** What is known of a model of any family, as its {@code config.json} gives it. */
public sealed interface LanguageModelConfig permits GemmaConfig, BertConfig {

  /**
   * Reads a {@code config.json}.
   *
   * @param file the file
   * @return its content
   * @throws ModelFormatException if the model is of no family that runs here, or asks for something
   *     that is not understood; the message names the key
   * @throws IOException if the file cannot be read
   */
  static LanguageModelConfig read(Path file) throws IOException {
    return ModelConfigReader.read(file);
  }

  /**
   * Names the architecture as transformers does.
   *
   * @return {@code gemma2}, {@code gemma3_text} or {@code bert}
   */
  String modelType();

  /**
   * Tells whether each token sees the whole text. Such a model predicts no next token: it has no
   * logits and no losses, and continues no text.
   *
   * @return true for BERT
   */
  boolean isEncoder();

  /**
   * Returns the width of what goes from layer to layer.
   *
   * @return {@code d_model}
   */
  int hiddenSize();

  /**
   * Returns the width inside the MLP.
   *
   * @return {@code d_mlp}
   */
  int intermediateSize();

  /**
   * Returns the number of query heads.
   *
   * @return at least 1
   */
  int heads();

  /**
   * Returns the width of one head.
   *
   * @return {@code d_head}
   */
  int headDim();

  /**
   * Returns the number of layers.
   *
   * @return at least 1
   */
  int layerCount();

  /**
   * Returns the number of token ids.
   *
   * @return ids are 0 to one below
   */
  int vocabularySize();

  /**
   * Returns the largest number of tokens of one text.
   *
   * @return special tokens included
   */
  int maxPositions();

  /**
   * Returns the id that begins a text.
   *
   * @return BOS, if the configuration names one; an encoder's special tokens stand in its tokenizer
   */
  OptionalInt bos();

  /**
   * Returns the ids that end a text.
   *
   * @return EOS; none for an encoder
   */
  Set<Integer> eos();
}
