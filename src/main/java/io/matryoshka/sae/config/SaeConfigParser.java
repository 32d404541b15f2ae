package io.matryoshka.sae.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.filetype.ForeignFormat;
import io.matryoshka.sae.internal.filetype.JsonObjects;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Reads {@code cfg.json} with the defaults and renamings of SAELens 6.18.0 ({@code
 * sae_lens/saes/sae.py:150-270}).
 */
final class SaeConfigParser {

  private static final Map<String, Dtype> DTYPES =
      Map.of(
          "float32", Dtype.F32, "float64", Dtype.F64, "float16", Dtype.F16, "bfloat16", Dtype.BF16);

  /** Names of before 6.0 and what they became. */
  private static final Map<String, String> RENAMED =
      Map.of(
          "hook_point", "hook_name",
          "hook_point_head_index", "hook_head_index",
          "activation_fn_str", "activation_fn");

  private final Path file;
  private final ObjectNode fields;
  private final Optional<Dtype> chosen;
  private final JsonNode metadata;
  private final JsonNode runner;

  private SaeConfigParser(Path file, ObjectNode fields, JsonNode runner, Optional<Dtype> chosen)
      throws SaeFormatException {
    this.file = file;
    this.fields = fields;
    this.runner = runner;
    this.chosen = chosen;
    JsonNode node = fields.path("metadata");
    if (!node.isMissingNode() && !node.isNull() && !node.isObject()) {
      throw wrong("metadata", "an object", node);
    }
    this.metadata = node.isObject() ? node : JsonNodeFactory.instance.objectNode();
  }

  /**
   * Reads a configuration.
   *
   * @param file {@code cfg.json}
   * @param runnerFile the settings of training, if they are there
   * @param chosen the type of the tensors in place of what the file says
   */
  static SaeConfig parse(Path file, Optional<Path> runnerFile, Optional<Dtype> chosen)
      throws IOException {
    ObjectNode root = JsonObjects.read(file, SaeFormatException::new);
    JsonNode runner =
        runnerFile.isPresent()
            ? JsonObjects.read(runnerFile.get(), SaeFormatException::new)
            : JsonNodeFactory.instance.objectNode();
    return new SaeConfigParser(file, root, runner, chosen).read();
  }

  private SaeConfig read() throws IOException {
    Optional<ForeignFormat> foreign = ForeignFormat.ofConfig(fields);
    if (foreign.isPresent() && !fields.has("d_sae")) {
      throw new SaeFormatException(file + ": " + foreign.get().message());
    }
    boolean old = isBefore6();
    if (old) {
      upgrade();
    }
    if (!fields.hasNonNull("dtype") && chosen.isEmpty()) {
      throw new SaeFormatException(
          file
              + ": field dtype is missing; SAELens needs it too, add for example \"dtype\":"
              + " \"float32\", or choose a type at loading (--dtype float32)");
    }
    Architecture architecture = architecture();
    OptionalInt k = k(architecture);
    int dIn = positive("d_in");
    return new SaeConfig(
        architecture,
        dIn,
        architecture.isTranscoder() ? positive("d_out") : dIn,
        positive("d_sae"),
        chosen.isPresent() ? chosen.get() : dtype(),
        applyBDecToInput(architecture),
        normalizeActivations(architecture),
        reshapeHookZ(),
        k,
        bool("rescale_acts_by_decoder_norm", false),
        text("hook_name"),
        architecture.isTranscoder() ? text("hook_name_out") : Optional.empty(),
        text("model_name"),
        widths(),
        rest());
  }

  /** A missing version, or one before 6.0.0-rc.0, is handled as an old file. */
  private boolean isBefore6() throws SaeFormatException {
    Optional<String> version = text("sae_lens_version");
    if (version.isEmpty()) {
      return true;
    }
    String major = version.get().split("\\.", 2)[0];
    try {
      return Integer.parseInt(major.trim()) < 6;
    } catch (NumberFormatException e) {
      throw wrong("sae_lens_version", "a version such as 6.18.0", find("sae_lens_version"));
    }
  }

  private void upgrade() {
    RENAMED.forEach(
        (from, to) -> {
          JsonNode value = fields.remove(from);
          if (value != null && !fields.has(to)) {
            fields.set(to, value);
          }
        });
    if (!fields.hasNonNull("architecture")) {
      fields.put("architecture", Architecture.STANDARD.key());
    }
    if (fields.path("activation_fn").asText().equals("topk")
        && fields.path("activation_fn_kwargs").has("k")) {
      fields.put("architecture", Architecture.TOPK.key());
      fields.set("k", fields.path("activation_fn_kwargs").get("k"));
    }
    JsonNode normalize = fields.path("normalize_activations");
    if (normalize.isBoolean() && normalize.booleanValue()) {
      fields.put("normalize_activations", NormalizeActivations.EXPECTED_AVERAGE_ONLY_IN.key());
    } else if (normalize.isBoolean() || normalize.isNull()) {
      fields.put("normalize_activations", NormalizeActivations.NONE.key());
    }
    if (!fields.hasNonNull("reshape_activations")) {
      boolean hookZ = fields.path("hook_name").asText().contains("hook_z");
      fields.put("reshape_activations", hookZ ? "hook_z" : "none");
    }
  }

  private Architecture architecture() throws IOException {
    JsonNode node = fields.path("architecture");
    if (node.isMissingNode() || node.isNull()) {
      throw new SaeFormatException(
          file + ": field architecture is missing; expected one of " + Architecture.keys());
    }
    String key = node.asText();
    Optional<Architecture> found = Architecture.find(key);
    if (found.isEmpty()) {
      throw new UnsupportedArchitectureException(
          file
              + ": architecture '"
              + key
              + "' is not supported; supported: "
              + Architecture.keys());
    }
    return found.get();
  }

  private Dtype dtype() throws SaeFormatException {
    String name = text("dtype").orElse("");
    Dtype dtype = DTYPES.get(name.startsWith("torch.") ? name.substring(6) : name);
    if (dtype == null) {
      throw wrong("dtype", "float32, float64, float16 or bfloat16", find("dtype"));
    }
    return dtype;
  }

  /** {@code b_dec} is of the output's width, so only a transcoder of one width may subtract it. */
  private boolean applyBDecToInput(Architecture architecture) throws SaeFormatException {
    boolean apply = bool("apply_b_dec_to_input", !architecture.isTranscoder());
    if (apply && architecture.isTranscoder() && positive("d_in") != positive("d_out")) {
      throw wrong(
          "apply_b_dec_to_input",
          "false for a transcoder whose d_out is not d_in",
          find("apply_b_dec_to_input"));
    }
    return apply;
  }

  private NormalizeActivations normalizeActivations(Architecture architecture)
      throws SaeFormatException {
    NormalizeActivations found = normalizeActivations();
    if (architecture.isTranscoder() && found != NormalizeActivations.NONE) {
      throw wrong(
          "normalize_activations",
          "none for a transcoder, whose input and output have norms of their own",
          find("normalize_activations"));
    }
    return found;
  }

  private NormalizeActivations normalizeActivations() throws SaeFormatException {
    String key = text("normalize_activations").orElse(NormalizeActivations.NONE.key());
    Optional<NormalizeActivations> found = NormalizeActivations.find(key);
    if (found.isEmpty()) {
      throw wrong(
          "normalize_activations",
          "none, expected_average_only_in, constant_norm_rescale or layer_norm",
          find("normalize_activations"));
    }
    return found.get();
  }

  private boolean reshapeHookZ() throws SaeFormatException {
    String mode = text("reshape_activations").orElse("none");
    if (mode.equals("none")) {
      return false;
    }
    if (!mode.equals("hook_z")) {
      throw wrong("reshape_activations", "none or hook_z", find("reshape_activations"));
    }
    Optional<String> hook = text("hook_name");
    if (hook.isPresent() && !hook.get().endsWith("_z")) {
      throw new SaeFormatException(
          file
              + ": reshape_activations is hook_z, so the hook point must end in _z, got '"
              + hook.get()
              + "'; set reshape_activations to none if activations are flat");
    }
    return true;
  }

  /** SAELens' default k of a TopK SAE is 100; elsewhere k is training's, from the metadata. */
  private OptionalInt k(Architecture architecture) throws SaeFormatException {
    JsonNode node = architecture == Architecture.TOPK ? find("k") : findOfTraining("k");
    if (architecture == Architecture.TOPK && (node.isMissingNode() || node.isNull())) {
      return OptionalInt.of(100);
    }
    if (node.isMissingNode() || node.isNull()) {
      return OptionalInt.empty();
    }
    if (architecture == Architecture.TOPK
        && !(node.canConvertToExactIntegral() && node.intValue() > 0)) {
      throw wrong("k", "an integer of at least 1", node);
    }
    return node.isNumber() && node.intValue() > 0
        ? OptionalInt.of(node.intValue())
        : OptionalInt.empty();
  }

  private List<Integer> widths() throws SaeFormatException {
    JsonNode node = findOfTraining("matryoshka_widths");
    List<Integer> widths = new ArrayList<>();
    if (node.isMissingNode() || node.isNull()) {
      return widths;
    }
    int previous = 0;
    int dSae = positive("d_sae");
    String expected = "rising integers from 1 to d_sae = " + dSae;
    if (!node.isArray()) {
      throw wrong("matryoshka_widths", expected, node);
    }
    for (JsonNode width : node) {
      if (!width.isInt() || width.intValue() <= previous || width.intValue() > dSae) {
        throw wrong("matryoshka_widths", expected, node);
      }
      previous = width.intValue();
      widths.add(previous);
    }
    if (!widths.isEmpty() && previous != dSae) {
      widths.add(dSae);
    }
    return widths;
  }

  private Map<String, Object> rest() {
    Map<String, Object> rest = new LinkedHashMap<>();
    for (JsonNode holder : List.of(fields, metadata)) {
      holder.properties().stream()
          .filter(field -> !field.getValue().isNull())
          .forEach(field -> rest.put(field.getKey(), plain(field.getValue())));
    }
    rest.remove("metadata");
    return rest;
  }

  /** Texts, booleans, numbers, lists and maps in place of JSON nodes. */
  private static Object plain(JsonNode value) {
    return JsonObjects.plain(value);
  }

  private int positive(String field) throws SaeFormatException {
    JsonNode node = fields.path(field);
    if (!node.isInt() || node.intValue() < 1) {
      throw wrong(field, "an integer of at least 1", node);
    }
    return node.intValue();
  }

  private boolean bool(String field, boolean absent) throws SaeFormatException {
    JsonNode node = fields.path(field);
    if (node.isMissingNode()) {
      return absent;
    }
    if (!node.isBoolean()) {
      throw wrong(field, "true or false", node);
    }
    return node.booleanValue();
  }

  private Optional<String> text(String field) throws SaeFormatException {
    JsonNode node = find(field);
    if (node.isMissingNode() || node.isNull()) {
      return Optional.empty();
    }
    if (!node.isTextual()) {
      throw wrong(field, "a text", node);
    }
    return Optional.of(node.textValue());
  }

  /** A field of the file, else of its metadata. */
  private JsonNode find(String field) {
    JsonNode node = fields.path(field);
    return node.isMissingNode() || node.isNull() ? metadata.path(field) : node;
  }

  /**
   * A field of training: of the file, else of {@code training_architecture_details} in its metadata
   * (SAELens since 6.50), else of {@code runner_cfg.json} beside it (before).
   */
  private JsonNode findOfTraining(String field) {
    JsonNode node = find(field);
    if (!node.isMissingNode() && !node.isNull()) {
      return node;
    }
    JsonNode details = metadata.path("training_architecture_details").path(field);
    return details.isMissingNode() ? runner.path("sae").path(field) : details;
  }

  private SaeFormatException wrong(String field, String expected, JsonNode got) {
    return new SaeFormatException(
        file
            + ": field "
            + field
            + ": expected "
            + expected
            + ", got "
            + (got.isMissingNode() ? "nothing" : got.toString()));
  }
}
