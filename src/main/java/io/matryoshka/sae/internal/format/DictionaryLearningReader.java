package io.matryoshka.sae.internal.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.matryoshka.sae.config.Architecture;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.internal.filetype.JsonObjects;
import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.weights.TensorFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads SAEs of dictionary_learning. Those with {@code encoder.weight} keep both matrices the other
 * way round; one scalar threshold is that of all latents; the Matryoshka widths are the running
 * sums of {@code group_sizes}. A threshold below 0 was never set, and the formula is then plain
 * ReLU.
 *
 * @see <a
 *     href="https://github.com/saprmarks/dictionary_learning/blob/60ec6bf/trainers/matryoshka_batch_top_k.py">the
 *     trainer</a>
 */
final class DictionaryLearningReader implements FormatReader {

  private static final String NAME = "dictionary_learning";
  private static final String ENCODER = "encoder.weight";
  private static final String GROUP_SIZES = "group_sizes";
  private static final Set<String> KNOWN =
      Set.of(
          "W_enc",
          "W_dec",
          "b_enc",
          "b_dec",
          "threshold",
          "k",
          GROUP_SIZES,
          ENCODER,
          "encoder.bias",
          "decoder.weight",
          "bias",
          "decoder_bias",
          "gate_bias",
          "mag_bias",
          "r_mag");

  /** What is called so in {@code submodule_name}, and TransformerLens' hook for it. */
  private static final Map<String, String> HOOKS =
      Map.of(
          "resid_post", "hook_resid_post",
          "mlp_out", "hook_mlp_out",
          "attention_out", "hook_attn_out");

  private static final Pattern SUBMODULE = Pattern.compile("(\\w+?)_layer_\\d+");

  @Override
  public SaeConfig config(SaePlace place, SaeFormat.TensorSource tensors) throws IOException {
    JsonNode json =
        place.config().isPresent()
            ? JsonObjects.read(place.config().get(), SaeFormatException::new)
            : JsonNodeFactory.instance.objectNode();
    JsonNode trainer = json.path("trainer");
    try (TensorFile file = tensors.open()) {
      Tensors found = new Tensors(file, NAME);
      boolean turned = found.has(ENCODER);
      StoredTensor encoder = found.matrix("W_enc", ENCODER);
      int dIn = found.size(encoder, turned ? 1 : 0);
      int dSae = found.size(encoder, turned ? 0 : 1);
      String dictClass = trainer.path("dict_class").asText("");
      Architecture architecture = architecture(found, dictClass);
      return new Facts(
              architecture,
              dIn,
              dIn,
              dSae,
              !dictClass.equals("JumpReluAutoEncoder"),
              k(found, trainer, architecture),
              hook(trainer),
              Optional.empty(),
              Optional.of(trainer.path("lm_name").asText(""))
                  .filter(name -> !name.isEmpty())
                  .map(name -> name.substring(name.lastIndexOf('/') + 1)),
              widths(found, dSae),
              metadata(json))
          .config();
    }
  }

  private static Architecture architecture(Tensors found, String dictClass) {
    if (found.has("gate_bias")) {
      return Architecture.GATED;
    }
    if (dictClass.equals("JumpReluAutoEncoder")) {
      return Architecture.JUMPRELU;
    }
    // A TopK SAE may hold a threshold, which its encode does not use.
    if (dictClass.equals("AutoEncoderTopK") || (found.has("k") && !found.has("threshold"))) {
      return Architecture.TOPK;
    }
    return found.has("threshold") ? Architecture.BATCHTOPK : Architecture.STANDARD;
  }

  private static OptionalInt k(Tensors found, JsonNode trainer, Architecture architecture)
      throws IOException {
    long k = trainer.path("k").asLong(0);
    if (found.has("k")) {
      long[] values = integers(found, "k");
      k = values.length == 1 ? values[0] : 0;
    }
    if (k >= 1 && k <= Integer.MAX_VALUE) {
      return OptionalInt.of((int) k);
    }
    if (architecture == Architecture.TOPK) {
      throw new SaeFormatException(
          found.file().name() + ": a TopK SAE needs its k, of at least 1, got " + k);
    }
    return OptionalInt.empty();
  }

  private static List<Integer> widths(Tensors found, int dSae) throws IOException {
    List<Integer> widths = new ArrayList<>();
    if (!found.has(GROUP_SIZES)) {
      return widths;
    }
    long sum = 0;
    long[] sizes = integers(found, GROUP_SIZES);
    for (long size : sizes) {
      if (size < 1 || size > dSae) {
        sum = -1;
        break;
      }
      sum += size;
      widths.add((int) sum);
    }
    if (sum != dSae) {
      throw new SaeFormatException(
          "%s: group_sizes must be positive and sum up to d_sae = %d, got %s"
              .formatted(found.file().name(), dSae, Arrays.toString(sizes)));
    }
    return widths;
  }

  private static long[] integers(Tensors found, String name) throws IOException {
    try {
      return found.get(name).readLongs();
    } catch (IllegalArgumentException e) {
      throw new SaeFormatException(found.file().name() + ": " + e.getMessage(), e);
    }
  }

  private static Optional<String> hook(JsonNode trainer) {
    if (!trainer.path("layer").isInt()) {
      return Optional.empty();
    }
    String submodule = trainer.path("submodule_name").asText("resid_post_layer_0");
    Matcher matcher = SUBMODULE.matcher(submodule);
    String hook = matcher.matches() ? HOOKS.get(matcher.group(1)) : null;
    return Optional.of(
        hook == null ? submodule : "blocks." + trainer.path("layer").intValue() + "." + hook);
  }

  private static Map<String, Object> metadata(JsonNode json) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    for (String field : List.of("trainer_class", "dict_class", "submodule_name", "lm_name")) {
      JsonNode value = json.path("trainer").path(field);
      if (value.isTextual()) {
        metadata.put(field, value.textValue());
      }
    }
    JsonNode context = json.path("buffer").path("ctx_len");
    if (context.isInt()) {
      metadata.put("context_size", context.intValue());
    }
    return metadata;
  }

  @Override
  public List<StoredTensor> tensors(TensorFile raw, SaeConfig config) throws IOException {
    Tensors found = new Tensors(raw, NAME);
    found.requireOnly(KNOWN);
    boolean turned = found.has(ENCODER);
    List<StoredTensor> tensors = new ArrayList<>();
    StoredTensor encoder = found.matrix("W_enc", ENCODER);
    StoredTensor decoder = found.matrix("W_dec", "decoder.weight");
    tensors.add((turned ? encoder.transposed() : encoder).named(TensorNames.W_ENC));
    tensors.add((turned ? decoder.transposed() : decoder).named(TensorNames.W_DEC));
    tensors.add(found.get("b_dec", "bias", "decoder_bias").named(TensorNames.B_DEC));
    if (config.architecture() == Architecture.GATED) {
      tensors.add(found.get("gate_bias").named(TensorNames.B_GATE));
      tensors.add(found.get("mag_bias").named(TensorNames.B_MAG));
      tensors.add(found.get("r_mag").named(TensorNames.R_MAG));
    } else {
      tensors.add(found.get("b_enc", "encoder.bias").named(TensorNames.B_ENC));
    }
    if (config.architecture().hasThreshold()) {
      StoredTensor threshold = found.get("threshold");
      tensors.add(
          (threshold.elementCount() == 1 ? threshold.repeated(config.dSae()) : threshold)
              .named(TensorNames.THRESHOLD));
    }
    return tensors;
  }
}
