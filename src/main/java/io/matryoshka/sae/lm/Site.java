package io.matryoshka.sae.lm;

import java.util.List;

/**
 * A place within a layer, in the order in which a layer computes, or after the last layer.
 *
 * <p>The first name of each is TransformerLens' ({@code blocks.<layer>.<name>}) or empty, the
 * others are module paths of transformers ({@code model.layers.<layer>.<name>}).
 */
public enum Site {
  /** The residual stream that enters the layer, {@code [n, hidden]}. */
  RESID_PRE("hook_resid_pre", "input", "input_layernorm.input"),
  /** Rows over their root mean square, before the weights of the norm, {@code [n, hidden]}. */
  LN1_NORMALIZED("ln1.hook_normalized"),
  /** What attention reads, {@code [n, hidden]}. */
  LN1_OUT("", "input_layernorm.output", "self_attn.input"),
  /** The heads' weighted values, one head after the other, {@code [n, heads * head_dim]}. */
  Z("attn.hook_z", "self_attn.o_proj.input"),
  /** What attention gives before its norm, {@code [n, hidden]}. */
  ATTN_PROJECTED(
      "", "self_attn.o_proj.output", "self_attn.output", "post_attention_layernorm.input"),
  /** As {@link #LN1_NORMALIZED}, of the norm after attention. */
  LN1_POST_NORMALIZED("ln1_post.hook_normalized"),
  /** What attention adds to the stream, {@code [n, hidden]}. */
  ATTN_OUT("hook_attn_out", "post_attention_layernorm.output"),
  /** The stream between attention and MLP, {@code [n, hidden]}. */
  RESID_MID("hook_resid_mid", "pre_feedforward_layernorm.input"),
  /** As {@link #LN1_NORMALIZED}, of the norm before the MLP. */
  LN2_NORMALIZED("ln2.hook_normalized"),
  /** What the MLP reads, {@code [n, hidden]}. */
  LN2_OUT("", "pre_feedforward_layernorm.output", "mlp.input"),
  /** The gated activations inside the MLP, {@code [n, intermediate]}. */
  MLP_POST("mlp.hook_post", "mlp.down_proj.input"),
  /** What the MLP gives before its norm, {@code [n, hidden]}. */
  MLP_PROJECTED("", "mlp.down_proj.output", "mlp.output", "post_feedforward_layernorm.input"),
  /** As {@link #LN1_NORMALIZED}, of the norm after the MLP. */
  LN2_POST_NORMALIZED("ln2_post.hook_normalized"),
  /** What the MLP adds to the stream, {@code [n, hidden]}. */
  MLP_OUT("hook_mlp_out", "post_feedforward_layernorm.output"),
  /** The residual stream that leaves the layer, {@code [n, hidden]}. */
  RESID_POST("hook_resid_post", "output", ""),
  /** The stream after the final norm, {@code [n, hidden]}; no layer. */
  FINAL_NORM(""),
  /** The logits of the next token, {@code [n, vocabulary]}; no layer. */
  LOGITS("");

  private final String lensName;
  private final List<String> modulePaths;

  Site(String lensName, String... modulePaths) {
    this.lensName = lensName;
    this.modulePaths = List.of(modulePaths);
  }

  String lensName() {
    return lensName;
  }

  List<String> modulePaths() {
    return modulePaths;
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
