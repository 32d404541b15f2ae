package io.matryoshka.sae.internal.format;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The places of the model that an SAE of Gemma Scope belongs to. SAEs are named as TransformerLens
 * does. Transcoders keep the paths of Hugging Face's modules: their input, the output of {@code
 * pre_feedforward_layernorm}, has no name in TransformerLens, whose {@code hook_mlp_in} lies before
 * that norm.
 *
 * @param in the place that is read, if known
 * @param out the place that a transcoder predicts
 * @param model the model, if known
 */
record GemmaScopePlaces(Optional<String> in, Optional<String> out, Optional<String> model) {

  private static final Pattern LAYER = Pattern.compile("layers?[_.](\\d{1,4})");
  private static final Pattern MODULE = Pattern.compile(".*layers\\.(\\d{1,4})\\.(.+)");
  private static final Pattern REPOSITORY =
      Pattern.compile("gemma-scope-(2-)?(\\w+)-(pt|it)(?=[-/]|$)");

  /** The rest of a module path after its layer, and the hook that TransformerLens has there. */
  private static final Map<String, String> HOOKS =
      Map.of(
          "output", "hook_resid_post",
          "post_feedforward_layernorm.output", "hook_mlp_out",
          "self_attn.o_proj.input", "attn.hook_z");

  /** From the configuration, else from the names of folder and repository. */
  static GemmaScopePlaces of(String place, Optional<JsonNode> config) {
    Optional<String> in = text(config, "hf_hook_point_in");
    Optional<String> out = text(config, "hf_hook_point_out");
    boolean transcoder =
        config.map(json -> json.path("type").asText().equals("transcoder")).orElse(false)
            || (in.isEmpty() && place.contains("transcoder"));
    Optional<String> model = text(config, "model_name").map(GemmaScopePlaces::shortName);
    if (in.isPresent()) {
      return new GemmaScopePlaces(
          transcoder ? in : in.map(GemmaScopePlaces::hook),
          transcoder ? out : Optional.empty(),
          model);
    }
    return ofName(place, transcoder, model.or(() -> modelOf(place)));
  }

  private static GemmaScopePlaces ofName(String place, boolean transcoder, Optional<String> model) {
    Matcher layer = LAYER.matcher(place);
    if (!layer.find()) {
      return new GemmaScopePlaces(
          Optional.empty(), transcoder ? Optional.of("unknown") : Optional.empty(), model);
    }
    String number = layer.group(1);
    if (transcoder) {
      String module = "model.layers." + number;
      return new GemmaScopePlaces(
          Optional.of(module + ".pre_feedforward_layernorm.output"),
          Optional.of(module + ".post_feedforward_layernorm.output"),
          model);
    }
    Optional<String> hook = Optional.empty();
    if (place.contains("resid_post") || place.contains("-res")) {
      hook = Optional.of("hook_resid_post");
    } else if (place.contains("mlp_out") || place.contains("-mlp")) {
      hook = Optional.of("hook_mlp_out");
    } else if (place.contains("attn_out") || place.contains("-att")) {
      hook = Optional.of("attn.hook_z");
    }
    return new GemmaScopePlaces(
        hook.map(name -> "blocks." + number + "." + name), Optional.empty(), model);
  }

  private static Optional<String> text(Optional<JsonNode> config, String field) {
    return config
        .map(json -> json.path(field))
        .filter(JsonNode::isTextual)
        .map(JsonNode::textValue);
  }

  /** TransformerLens' name of a module path; the path itself where it has none. */
  private static String hook(String module) {
    Matcher matcher = MODULE.matcher(module);
    return matcher.matches() && HOOKS.containsKey(matcher.group(2))
        ? "blocks." + matcher.group(1) + "." + HOOKS.get(matcher.group(2))
        : module;
  }

  /** The model's name without its owner, as SAELens shortens it. */
  private static String shortName(String model) {
    String name = model.substring(model.lastIndexOf('/') + 1).replace("-v3", "-3");
    return name.equals("gemma-3-270m-pt") ? "gemma-3-270m" : name;
  }

  private static Optional<String> modelOf(String place) {
    Matcher matcher = REPOSITORY.matcher(place);
    if (!matcher.find()) {
      return Optional.empty();
    }
    boolean second = matcher.group(1) != null;
    String kind = second || matcher.group(3).equals("it") ? "-" + matcher.group(3) : "";
    return Optional.of(shortName((second ? "gemma-3-" : "gemma-2-") + matcher.group(2) + kind));
  }
}
