package io.matryoshka.sae.lm;

import io.matryoshka.sae.lm.GemmaConfig.Attention;
import io.matryoshka.sae.lm.GemmaConfig.Family;
import io.matryoshka.sae.lm.GemmaConfig.Rope;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads {@code config.json} as {@code Gemma2Config} and {@code Gemma3TextConfig} of transformers
 * 4.50 to 5.18 do: keys of both generations; where a key is missing, the default of the class.
 */
final class GemmaConfigReader {

  private static final int GEMMA3_PATTERN = 6;
  private static final double SLIDING_BASE = 10_000;
  private static final double GEMMA3_FULL_BASE = 1_000_000;

  private final ConfigFields fields;
  private final Family family;

  private GemmaConfigReader(ConfigFields fields, Family family) {
    this.fields = fields;
    this.family = family;
  }

  /** Reads the fields of a text model, or of the multimodal model around it. */
  static GemmaConfig read(ConfigFields outer) throws ModelFormatException {
    Family family = family(outer);
    if (!outer.isObject("text_config")) {
      return new GemmaConfigReader(outer, family).readIn(outer);
    }
    ConfigKeys.GEMMA.refuse(outer);
    ConfigFields inner = outer.object("text_config");
    if (inner.has("model_type") && family(inner) != family) {
      throw inner.problem("model_type", "the type of the model around it, " + family);
    }
    return new GemmaConfigReader(inner, family).readIn(outer);
  }

  private static Family family(ConfigFields fields) throws ModelFormatException {
    String type = fields.text("model_type", "");
    return Family.of(type)
        .orElseThrow(() -> fields.problem("model_type", "gemma2, gemma3_text or gemma3"));
  }

  private GemmaConfig readIn(ConfigFields outer) throws ModelFormatException {
    ConfigKeys.GEMMA.check(fields);
    fields.requireText("hidden_activation", Set.of("gelu_pytorch_tanh"));
    boolean three = family == Family.GEMMA3;
    int hidden = fields.size("hidden_size");
    int heads = fields.size("num_attention_heads");
    int keyValueHeads = fields.size("num_key_value_heads");
    int headDim = fields.size("head_dim", 256);
    if (heads % keyValueHeads != 0) {
      throw fields.problem("num_key_value_heads", "a divisor of num_attention_heads = " + heads);
    }
    if (headDim % 2 != 0) {
      throw fields.problem("head_dim", "an even number");
    }
    return new GemmaConfig(
        family,
        hidden,
        fields.size("intermediate_size"),
        heads,
        keyValueHeads,
        headDim,
        fields.positive("query_pre_attn_scalar", 256),
        fields.positive("rms_norm_eps", 1e-6),
        fields.size("vocab_size"),
        fields.size("max_position_embeddings", three ? 131_072 : 8192),
        fields.size("sliding_window", 4096),
        layers(),
        rope("full_attention", three ? GEMMA3_FULL_BASE : SLIDING_BASE),
        slidingRope(),
        cap("attn_logit_softcapping", 50),
        cap("final_logit_softcapping", 30),
        outer.flag("tie_word_embeddings", fields.flag("tie_word_embeddings", true)),
        bos(outer),
        eos(outer));
  }

  /** A cap of Gemma 2 is a default of its class; Gemma 3 has none unless the file says so. */
  private OptionalDouble cap(String key, double gemma2) throws ModelFormatException {
    if (fields.isNull(key) || (!fields.has(key) && family == Family.GEMMA3)) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(fields.positive(key, gemma2));
  }

  private List<Attention> layers() throws ModelFormatException {
    int count = fields.size("num_hidden_layers");
    List<Attention> layers = new ArrayList<>();
    if (fields.has("layer_types")) {
      for (String type : fields.texts("layer_types")) {
        layers.add(attention(type));
      }
      if (layers.size() != count) {
        throw fields.problem("layer_types", "num_hidden_layers = " + count + " entries");
      }
      return layers;
    }
    int pattern = family == Family.GEMMA2 ? 2 : slidingPattern();
    for (int i = 1; i <= count; i++) {
      layers.add(i % pattern == 0 ? Attention.FULL : Attention.SLIDING);
    }
    return layers;
  }

  private int slidingPattern() throws ModelFormatException {
    int older = fields.size("sliding_window_pattern", GEMMA3_PATTERN);
    return fields.size("_sliding_window_pattern", older);
  }

  private Attention attention(String type) throws ModelFormatException {
    return switch (type) {
      case "sliding_attention" -> Attention.SLIDING;
      case "full_attention" -> Attention.FULL;
      default -> throw fields.problem("layer_types", "sliding_attention or full_attention");
    };
  }

  private Rope slidingRope() throws ModelFormatException {
    if (family == Family.GEMMA2) {
      return rope("sliding_attention", SLIDING_BASE);
    }
    if (fields.has("rope_parameters")) {
      return rope("sliding_attention", SLIDING_BASE);
    }
    return new Rope(fields.positive("rope_local_base_freq", SLIDING_BASE), 1);
  }

  /** Newer files hold one dictionary, or one for each type of layer; older ones two keys. */
  private Rope rope(String layerType, double base) throws ModelFormatException {
    if (fields.has("rope_parameters")) {
      ConfigFields all = fields.object("rope_parameters");
      ConfigFields own = all.has(layerType) ? all.object(layerType) : all;
      return scaled(own, own.positive("rope_theta", base));
    }
    double theta = fields.positive("rope_theta", base);
    return fields.has("rope_scaling")
        ? scaled(fields.object("rope_scaling"), theta)
        : new Rope(theta, 1);
  }

  private static Rope scaled(ConfigFields rope, double base) throws ModelFormatException {
    String key = rope.has("rope_type") ? "rope_type" : "type";
    String type = rope.text(key, "default");
    return switch (type) {
      case "default" -> new Rope(base, 1);
      case "linear" -> new Rope(base, rope.positive("factor"));
      default -> throw rope.problem(key, "default or linear");
    };
  }

  private OptionalInt bos(ConfigFields outer) throws ModelFormatException {
    Set<Integer> ids = ids(outer, "bos_token_id", 2);
    return ids.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ids.iterator().next());
  }

  private Set<Integer> eos(ConfigFields outer) throws ModelFormatException {
    return ids(outer, "eos_token_id", 1);
  }

  private Set<Integer> ids(ConfigFields outer, String key, int byDefault)
      throws ModelFormatException {
    ConfigFields holder = outer.has(key) || outer.isNull(key) ? outer : fields;
    if (holder.isNull(key)) {
      return Set.of();
    }
    return new HashSet<>(holder.has(key) ? holder.integers(key) : List.of(byDefault));
  }
}
