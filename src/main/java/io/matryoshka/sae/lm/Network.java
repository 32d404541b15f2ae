package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDManager;
import java.io.IOException;

/** The forward pass of a family of models. */
sealed interface Network extends AutoCloseable permits GemmaModel, BertModel {

  /** Opens the weights of a model, by the rules of its family. */
  static Network open(ModelFiles files, boolean bfloat16Products) throws IOException {
    LanguageModelConfig config = files.config();
    if (config instanceof BertConfig bert) {
      BertWeightNames names = BertWeightNames.of(bert, files.tensors(), files.name());
      return new BertModel(bert, names, ModelWeights.open(files, names.shapes()), bfloat16Products);
    }
    GemmaConfig gemma = (GemmaConfig) config;
    GemmaWeightNames names = GemmaWeightNames.of(gemma, files.tensors(), files.name());
    return new GemmaModel(gemma, names, ModelWeights.open(files, names.shapes()), bfloat16Products);
  }

  LanguageModelConfig config();

  /** Returns the bytes of the weights of all layers. */
  long weightBytes();

  /**
   * Runs texts as far as the hooks want, which then hold what they were to keep.
   *
   * @param scope owns what is temporary
   */
  void trace(TokenBatch batch, Hooks hooks, NDManager scope);

  @Override
  void close();
}
