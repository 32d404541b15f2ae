package io.matryoshka.sae.lm;

import io.matryoshka.sae.lm.BertConfig.Activation;
import java.util.Map;
import java.util.Set;

/**
 * Reads the {@code config.json} of a BERT as {@code BertConfig} of transformers 4 and 5 does; where
 * a key is missing, the default of the class.
 */
final class BertConfigReader {

  static final String MODEL_TYPE = "bert";

  /** Functions by the names of transformers; several names have one formula. */
  private static final Map<String, Activation> ACTIVATIONS =
      Map.of(
          "gelu", Activation.GELU,
          "gelu_python", Activation.GELU,
          "gelu_new", Activation.GELU_TANH,
          "gelu_fast", Activation.GELU_TANH,
          "gelu_pytorch_tanh", Activation.GELU_TANH);

  private BertConfigReader() {}

  static BertConfig read(ConfigFields fields) throws ModelFormatException {
    ConfigKeys.BERT.check(fields);
    fields.requireText("hidden_act", ACTIVATIONS.keySet());
    fields.requireText("position_embedding_type", Set.of("absolute"));
    int hidden = fields.size("hidden_size", 768);
    int heads = fields.size("num_attention_heads", 12);
    if (hidden % heads != 0) {
      throw fields.problem("num_attention_heads", "a divisor of hidden_size = " + hidden);
    }
    return new BertConfig(
        hidden,
        fields.size("intermediate_size", 3072),
        heads,
        fields.size("num_hidden_layers", 12),
        fields.size("vocab_size", 30_522),
        fields.size("max_position_embeddings", 512),
        fields.size("type_vocab_size", 2),
        fields.positive("layer_norm_eps", 1e-12),
        ACTIVATIONS.get(fields.text("hidden_act", "gelu")));
  }
}
