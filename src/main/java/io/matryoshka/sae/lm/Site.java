package io.matryoshka.sae.lm;

import java.util.List;

/**
 * A place within a layer, in the order in which a layer computes, or after the last layer.
 *
 * <p>The first name of each is TransformerLens' ({@code blocks.<layer>.<name>}) or empty, the
 * others are module paths of transformers: in Gemma below {@code model.layers.<layer>}, in BERT
 * below {@code encoder.layer.<layer>}. A place without names of BERT is one that BERT does not
 * have.
 */
public enum Site {
  /** The residual stream that enters the layer, {@code [n, hidden]}. */
  RESID_PRE("hook_resid_pre", List.of("input", "input_layernorm.input"), List.of("input")),
  /** Rows over their root mean square, before the weights of the norm, {@code [n, hidden]}. */
  LN1_NORMALIZED("ln1.hook_normalized", List.of(), List.of()),
  /** What attention reads, {@code [n, hidden]}. */
  LN1_OUT("", List.of("input_layernorm.output", "self_attn.input"), List.of()),
  /** The heads' weighted values, one head after the other, {@code [n, heads * head_dim]}. */
  Z(
      "attn.hook_z",
      List.of("self_attn.o_proj.input"),
      List.of("attention.output.dense.input", "attention.self.output")),
  /** What attention gives before its norm, {@code [n, hidden]}. */
  ATTN_PROJECTED(
      "",
      List.of("self_attn.o_proj.output", "self_attn.output", "post_attention_layernorm.input"),
      List.of()),
  /** As {@link #LN1_NORMALIZED}, of the norm after attention. */
  LN1_POST_NORMALIZED("ln1_post.hook_normalized", List.of(), List.of()),
  /** What attention adds to the stream, {@code [n, hidden]}. */
  ATTN_OUT(
      "hook_attn_out",
      List.of("post_attention_layernorm.output"),
      List.of("attention.output.dense.output")),
  /** The stream between attention and MLP, {@code [n, hidden]}; in BERT before its norm. */
  RESID_MID(
      "hook_resid_mid",
      List.of("pre_feedforward_layernorm.input"),
      List.of("attention.output.LayerNorm.input")),
  /** As {@link #LN1_NORMALIZED}, of the norm before the MLP. */
  LN2_NORMALIZED("ln2.hook_normalized", List.of(), List.of()),
  /** What the MLP reads, {@code [n, hidden]}. */
  LN2_OUT("", List.of("pre_feedforward_layernorm.output", "mlp.input"), List.of()),
  /** The activations inside the MLP, gated in Gemma, {@code [n, intermediate]}. */
  MLP_POST(
      "mlp.hook_post",
      List.of("mlp.down_proj.input"),
      List.of("intermediate.output", "output.dense.input")),
  /** What the MLP gives before its norm, {@code [n, hidden]}. */
  MLP_PROJECTED(
      "",
      List.of("mlp.down_proj.output", "mlp.output", "post_feedforward_layernorm.input"),
      List.of()),
  /** As {@link #LN1_NORMALIZED}, of the norm after the MLP. */
  LN2_POST_NORMALIZED("ln2_post.hook_normalized", List.of(), List.of()),
  /** What the MLP adds to the stream, {@code [n, hidden]}. */
  MLP_OUT(
      "hook_mlp_out", List.of("post_feedforward_layernorm.output"), List.of("output.dense.output")),
  /**
   * The sum at the end of the layer, {@code [n, hidden]}. In Gemma it is what leaves the layer; in
   * BERT a norm follows, as in TransformerLens.
   */
  RESID_POST("hook_resid_post", List.of("output", ""), List.of("output.LayerNorm.input")),
  /** What leaves a layer of BERT, after the layer's last norm, {@code [n, hidden]}. */
  LAYER_OUT(
      "hook_normalized_resid_post",
      List.of(),
      List.of("output", "", "output.output", "output.LayerNorm.output")),
  /**
   * What the model gives before any head, {@code last_hidden_state} in transformers: the stream
   * after the final norm, which in BERT is that of the last layer, {@code [n, hidden]}; no layer.
   */
  FINAL_NORM("", List.of(), List.of()),
  /** The logits of the next token, {@code [n, vocabulary]}; no layer, and none in BERT. */
  LOGITS("", List.of(), List.of());

  private final String lensName;
  private final List<String> gemmaPaths;
  private final List<String> bertPaths;

  Site(String lensName, List<String> gemmaPaths, List<String> bertPaths) {
    this.lensName = lensName;
    this.gemmaPaths = gemmaPaths;
    this.bertPaths = bertPaths;
  }

  String lensName() {
    return lensName;
  }

  List<String> gemmaPaths() {
    return gemmaPaths;
  }

  List<String> bertPaths() {
    return bertPaths;
  }

  /** Whether models of a family have it. */
  boolean isOf(LanguageModelConfig config) {
    return config.isEncoder() ? this == FINAL_NORM || !bertPaths.isEmpty() : this != LAYER_OUT;
  }

  /** Whether there is one in each layer. */
  boolean isInLayer() {
    return this != FINAL_NORM && this != LOGITS;
  }

  /** Whether it lies between what enters and what leaves a layer. */
  boolean isInterior() {
    return isInLayer() && this != RESID_PRE && this != RESID_POST;
  }

  /** Whether a value put here goes on through the model. */
  boolean canBeReplaced() {
    return switch (this) {
      case LN1_NORMALIZED, LN1_POST_NORMALIZED, LN2_NORMALIZED, LN2_POST_NORMALIZED, LOGITS ->
          false;
      default -> true;
    };
  }
}
