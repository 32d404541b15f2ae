package io.matryoshka.sae.lm;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.SaeConfig;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A place in a language model at which activations are read or replaced.
 *
 * @param layer the layer, counted from 0; 0 for the sites after the last layer
 * @param site the place within the layer
 */
public record HookPoint(int layer, Site site) {

  private static final Pattern LENS = Pattern.compile("blocks\\.(\\d{1,4})\\.(\\S+)");
  private static final Pattern GEMMA_MODULE =
      Pattern.compile(
          "(?:model\\.language_model\\.|language_model\\.model\\.|model\\.)layers\\.(\\d{1,4})(?:\\.(\\S+))?");
  private static final Pattern BERT_MODULE =
      Pattern.compile("(?:bert\\.|0\\.auto_model\\.)?encoder\\.layer\\.(\\d{1,4})(?:\\.(\\S+))?");

  private static final String LOGITS = "logits";
  private static final String LAST_HIDDEN_STATE = "last_hidden_state";

  /**
   * Checks the layer.
   *
   * @param layer the layer, counted from 0
   * @param site the place within the layer
   */
  public HookPoint {
    Objects.requireNonNull(site, "site");
    if (layer < 0 || (layer > 0 && !site.isInLayer())) {
      throw new IllegalArgumentException(
          "hook point: no layer " + layer + " for " + site + "; layers count from 0");
    }
  }

  /**
   * Names the stream that leaves a layer.
   *
   * @param layer the layer, counted from 0
   * @return {@code blocks.<layer>.hook_resid_post}
   */
  public static HookPoint residPost(int layer) {
    return new HookPoint(layer, Site.RESID_POST);
  }

  /**
   * Reads a name as TransformerLens writes it ({@code blocks.12.hook_resid_post}, {@code
   * blocks.3.attn.hook_z}, {@code hook_embed}) or a module path of transformers with {@code .input}
   * or {@code .output} ({@code model.layers.13.pre_feedforward_layernorm.output}, {@code
   * encoder.layer.3.output}), {@code last_hidden_state} or {@code logits}.
   *
   * @param name the name
   * @return the place
   * @throws IllegalArgumentException if the name is not known
   */
  public static HookPoint parse(String name) {
    switch (name) {
      case LOGITS:
        return new HookPoint(0, Site.LOGITS);
      case LAST_HIDDEN_STATE, "model.norm.output":
        return new HookPoint(0, Site.FINAL_NORM);
      case "hook_embed", "hook_full_embed", "embeddings.output":
        return new HookPoint(0, Site.RESID_PRE);
      default:
        return lens(name)
            .or(() -> module(GEMMA_MODULE, Site::gemmaPaths, name))
            .or(() -> module(BERT_MODULE, Site::bertPaths, name))
            .orElseThrow(() -> unknown(name));
    }
  }

  /**
   * Names the place that an SAE reads.
   *
   * @param sae the SAE
   * @return its hook point
   * @throws IllegalArgumentException if the SAE does not say it, or says a place that is not known
   */
  public static HookPoint of(SAE sae) {
    return of(sae.config());
  }

  /**
   * Names the place that an SAE reads.
   *
   * @param config what the files of the SAE say
   * @return its hook point
   * @throws IllegalArgumentException if they do not say it, or say a place that is not known
   */
  public static HookPoint of(SaeConfig config) {
    return parse(
        config
            .hookPoint()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "the configuration of the SAE names no hook point; name it, such as"
                            + " blocks.12.hook_resid_post")));
  }

  /** Whether a name is a module path below a layer of Gemma. */
  static boolean isPathInGemma(String name) {
    return GEMMA_MODULE.matcher(name).matches();
  }

  /** Whether a name is a module path below a layer of BERT. */
  static boolean isPathInBert(String name) {
    return BERT_MODULE.matcher(name).matches();
  }

  private static Optional<HookPoint> lens(String name) {
    Matcher matcher = LENS.matcher(name);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    for (Site site : Site.values()) {
      if (matcher.group(2).equals(site.lensName())) {
        return Optional.of(new HookPoint(Integer.parseInt(matcher.group(1)), site));
      }
    }
    return Optional.empty();
  }

  private static Optional<HookPoint> module(
      Pattern pattern, Function<Site, List<String>> paths, String name) {
    Matcher matcher = pattern.matcher(name);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String path = matcher.group(2) == null ? "" : matcher.group(2);
    for (Site site : Site.values()) {
      if (paths.apply(site).contains(path)) {
        return Optional.of(new HookPoint(Integer.parseInt(matcher.group(1)), site));
      }
    }
    return Optional.empty();
  }

  private static IllegalArgumentException unknown(String name) {
    return new IllegalArgumentException(
        "hook point '%s' is not known; expected a name such as blocks.12.hook_resid_post, _pre, _mid,"
                .formatted(name)
            + " hook_attn_out, hook_mlp_out, attn.hook_z, a module path such as"
            + " model.layers.12.pre_feedforward_layernorm.output or encoder.layer.3.output,"
            + " last_hidden_state, or logits");
  }

  /**
   * Returns the name in TransformerLens' form where there is one, else the module path.
   *
   * @return a name that {@link #parse} reads
   */
  @Override
  public String toString() {
    return switch (site) {
      case LOGITS -> LOGITS;
      case FINAL_NORM -> LAST_HIDDEN_STATE;
      default ->
          site.lensName().isEmpty()
              ? "model.layers." + layer + "." + site.gemmaPaths().get(0)
              : "blocks." + layer + "." + site.lensName();
    };
  }
}
