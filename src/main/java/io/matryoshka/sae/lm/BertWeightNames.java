package io.matryoshka.sae.lm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The names and shapes of a BERT's tensors. */
final class BertWeightNames {

  /**
   * Before the names: the model alone, inside a model with a head, and in sentence-transformers.
   */
  private static final List<String> PREFIXES = List.of("", "bert.", "0.auto_model.");

  private static final String WORDS = "embeddings.word_embeddings.weight";

  private final BertConfig config;
  private final String prefix;
  private final boolean older;

  /** {@code older} norms call their weight gamma and their bias beta, as TensorFlow did. */
  private BertWeightNames(BertConfig config, String prefix, boolean older) {
    this.config = config;
    this.prefix = prefix;
    this.older = older;
  }

  static BertWeightNames of(BertConfig config, Set<String> tensors, String source)
      throws ModelFormatException {
    for (String prefix : PREFIXES) {
      if (tensors.contains(prefix + WORDS)) {
        boolean older = tensors.contains(prefix + "embeddings.LayerNorm.gamma");
        return new BertWeightNames(config, prefix, older);
      }
    }
    throw new ModelFormatException(
        source + ": expected a tensor " + WORDS + " of a BERT model, found none");
  }

  /** Words, positions, token types, and weight and bias of the norm over their sum. */
  List<String> embeddings() {
    return new ArrayList<>(embeddingShapes().keySet());
  }

  /**
   * Weight and bias, one after the other, of query, key, value, attention's output, the norm after
   * attention, the MLP's input and output, and the norm after the MLP.
   */
  List<String> layer(int layer) {
    return new ArrayList<>(layerShapes(layer).keySet());
  }

  /** The shape that each tensor must have. */
  Map<String, long[]> shapes() {
    Map<String, long[]> shapes = embeddingShapes();
    for (int i = 0; i < config.layerCount(); i++) {
      shapes.putAll(layerShapes(i));
    }
    return shapes;
  }

  private Map<String, long[]> embeddingShapes() {
    long d = config.hiddenSize();
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put(prefix + WORDS, new long[] {config.vocabularySize(), d});
    shapes.put(
        prefix + "embeddings.position_embeddings.weight", new long[] {config.maxPositions(), d});
    shapes.put(
        prefix + "embeddings.token_type_embeddings.weight", new long[] {config.tokenTypes(), d});
    putNorm(shapes, prefix + "embeddings.LayerNorm");
    return shapes;
  }

  private Map<String, long[]> layerShapes(int layer) {
    int d = config.hiddenSize();
    int inner = config.intermediateSize();
    String start = prefix + "encoder.layer." + layer + ".";
    Map<String, long[]> shapes = new LinkedHashMap<>();
    putLinear(shapes, start + "attention.self.query", d, d);
    putLinear(shapes, start + "attention.self.key", d, d);
    putLinear(shapes, start + "attention.self.value", d, d);
    putLinear(shapes, start + "attention.output.dense", d, d);
    putNorm(shapes, start + "attention.output.LayerNorm");
    putLinear(shapes, start + "intermediate.dense", inner, d);
    putLinear(shapes, start + "output.dense", d, inner);
    putNorm(shapes, start + "output.LayerNorm");
    return shapes;
  }

  private static void putLinear(Map<String, long[]> shapes, String name, long out, long in) {
    shapes.put(name + ".weight", new long[] {out, in});
    shapes.put(name + ".bias", new long[] {out});
  }

  private void putNorm(Map<String, long[]> shapes, String name) {
    shapes.put(name + (older ? ".gamma" : ".weight"), new long[] {config.hiddenSize()});
    shapes.put(name + (older ? ".beta" : ".bias"), new long[] {config.hiddenSize()});
  }
}
