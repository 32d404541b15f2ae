package io.matryoshka.sae.internal.filetype;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.Set;

/** The formats of other programs' SAEs, recognised so that a message can name them. */
public enum ForeignFormat {
  /** Google DeepMind; Gemma Scope 2 is trained with Matryoshka. */
  GEMMA_SCOPE(
      "Gemma Scope",
      "w_enc, w_dec, b_enc, b_dec and threshold in params.safetensors or params.npz",
      "load it in Python with SAELens (SAE.from_pretrained of its release) and save it with"
          + " sae.save_model(folder)"),
  /** EleutherAI. */
  SPARSIFY(
      "sparsify",
      "encoder.weight, encoder.bias, W_dec and b_dec in sae.safetensors",
      "save its tensors in Python as W_enc = encoder.weight.T, b_enc = encoder.bias, W_dec and b_dec"
          + " in sae_weights.safetensors, with a cfg.json of architecture topk and its k, and"
          + " apply_b_dec_to_input true"),
  /** Of Samuel Marks and others; the usual trainer of Matryoshka BatchTopK SAEs. */
  DICTIONARY_LEARNING(
      "dictionary_learning",
      "ae.pt, or the tensors k, threshold and group_sizes",
      "in Python spread the one threshold over all latents to shape [d_sae], drop k and group_sizes,"
          + " and save the tensors as sae_weights.safetensors with a cfg.json of architecture"
          + " jumprelu; the widths (--widths) are the running sums of group_sizes"),
  /** Of fnlp. */
  LLAMA_SCOPE(
      "Llama Scope",
      "hyperparams.json and a folder checkpoints",
      "load it in Python with SAELens and save it with sae.save_model(folder)");

  private final String program;
  private final String holds;
  private final String conversion;

  ForeignFormat(String program, String holds, String conversion) {
    this.program = program;
    this.holds = holds;
    this.conversion = conversion;
  }

  /** Recognises a folder by the names of its files. */
  public static Optional<ForeignFormat> ofFiles(Set<String> names) {
    if (names.contains("params.safetensors") || names.contains("params.npz")) {
      return Optional.of(GEMMA_SCOPE);
    }
    if (names.contains("ae.pt")) {
      return Optional.of(DICTIONARY_LEARNING);
    }
    if (names.contains("sae.safetensors")) {
      return Optional.of(SPARSIFY);
    }
    return names.contains("hyperparams.json") ? Optional.of(LLAMA_SCOPE) : Optional.empty();
  }

  /** Recognises an SAE by the names of its tensors. */
  public static Optional<ForeignFormat> ofTensors(Set<String> names) {
    if (names.containsAll(Set.of("w_enc", "w_dec"))) {
      return Optional.of(GEMMA_SCOPE);
    }
    if (names.containsAll(Set.of("encoder.weight", "W_dec"))) {
      return Optional.of(SPARSIFY);
    }
    boolean hasBuffers = names.contains("group_sizes") || names.contains("k");
    return hasBuffers || names.containsAll(Set.of("encoder.weight", "decoder.weight"))
        ? Optional.of(DICTIONARY_LEARNING)
        : Optional.empty();
  }

  /** Recognises an SAE by its configuration, a JSON object. */
  public static Optional<ForeignFormat> ofConfig(JsonNode config) {
    if (config.has("expansion_factor") && config.has("num_latents")) {
      return Optional.of(SPARSIFY);
    }
    if (config.has("hf_hook_point_in") || config.has("affine_connection")) {
      return Optional.of(GEMMA_SCOPE);
    }
    return config.has("trainer") ? Optional.of(DICTIONARY_LEARNING) : Optional.empty();
  }

  /** What to say where such an SAE was given. */
  public String message() {
    return "this is an SAE in the format of %s (%s), not of SAELens; to convert it, %s"
        .formatted(program, holds, conversion);
  }
}
