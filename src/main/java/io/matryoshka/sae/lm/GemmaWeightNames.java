package io.matryoshka.sae.lm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The names and shapes of a model's tensors. */
final class GemmaWeightNames {

  /** Before the names: text models, and two generations of the multimodal model around them. */
  private static final List<String> PREFIXES =
      List.of("model.", "language_model.model.", "model.language_model.");

  private static final List<String> HEADS =
      List.of("lm_head.weight", "language_model.lm_head.weight");
  private static final String EMBEDDING = "embed_tokens.weight";

  private final GemmaConfig config;
  private final String prefix;
  private final String head;

  private GemmaWeightNames(GemmaConfig config, String prefix, String head) {
    this.config = config;
    this.prefix = prefix;
    this.head = head;
  }

  static GemmaWeightNames of(GemmaConfig config, Set<String> tensors, String source)
      throws ModelFormatException {
    for (String prefix : PREFIXES) {
      if (tensors.contains(prefix + EMBEDDING)) {
        return new GemmaWeightNames(config, prefix, head(config, prefix, tensors, source));
      }
    }
    throw new ModelFormatException(
        source + ": expected a tensor model." + EMBEDDING + " of a Gemma model, found none");
  }

  private static String head(GemmaConfig config, String prefix, Set<String> tensors, String source)
      throws ModelFormatException {
    if (config.tiedHead()) {
      return prefix + EMBEDDING;
    }
    return HEADS.stream()
        .filter(tensors::contains)
        .findFirst()
        .orElseThrow(
            () ->
                new ModelFormatException(
                    source
                        + ": the configuration says tie_word_embeddings false, and there is no"
                        + " tensor lm_head.weight"));
  }

  String embedding() {
    return prefix + EMBEDDING;
  }

  String finalNorm() {
    return prefix + "norm.weight";
  }

  /** What gives the logits, {@code [vocabulary, hidden]}. */
  String head() {
    return head;
  }

  /** The tensors of a layer in the order that {@code gemma.py} wants. */
  List<String> layer(int layer) {
    return new ArrayList<>(layerShapes(layer).keySet());
  }

  /** The shape that each tensor must have. */
  Map<String, long[]> shapes() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    long[] table = {config.vocabularySize(), config.hiddenSize()};
    shapes.put(embedding(), table);
    shapes.put(head, table);
    shapes.put(finalNorm(), new long[] {config.hiddenSize()});
    for (int i = 0; i < config.layerCount(); i++) {
      shapes.putAll(layerShapes(i));
    }
    return shapes;
  }

  private Map<String, long[]> layerShapes(int layer) {
    long d = config.hiddenSize();
    long inner = config.intermediateSize();
    long queries = (long) config.heads() * config.headDim();
    long keys = (long) config.keyValueHeads() * config.headDim();
    String start = prefix + "layers." + layer + ".";
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put(start + "input_layernorm.weight", new long[] {d});
    shapes.put(start + "self_attn.q_proj.weight", new long[] {queries, d});
    shapes.put(start + "self_attn.k_proj.weight", new long[] {keys, d});
    shapes.put(start + "self_attn.v_proj.weight", new long[] {keys, d});
    shapes.put(start + "self_attn.o_proj.weight", new long[] {d, queries});
    shapes.put(start + "post_attention_layernorm.weight", new long[] {d});
    shapes.put(start + "pre_feedforward_layernorm.weight", new long[] {d});
    shapes.put(start + "mlp.gate_proj.weight", new long[] {inner, d});
    shapes.put(start + "mlp.up_proj.weight", new long[] {inner, d});
    shapes.put(start + "mlp.down_proj.weight", new long[] {d, inner});
    shapes.put(start + "post_feedforward_layernorm.weight", new long[] {d});
    if (config.family() == GemmaConfig.Family.GEMMA3) {
      shapes.put(start + "self_attn.q_norm.weight", new long[] {config.headDim()});
      shapes.put(start + "self_attn.k_norm.weight", new long[] {config.headDim()});
    }
    return shapes;
  }
}
