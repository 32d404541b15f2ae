package io.matryoshka.sae.internal.fetch;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.config.SaeConfig;

/** Writes the configuration of an SAE of another program as SAELens has it. */
final class NativeConfig {

  /** The version whose fields these are; without one, SAELens reads an old file. */
  private static final String VERSION = "6.39.0";

  private NativeConfig() {}

  static ObjectNode json(SaeConfig config) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("architecture", config.architecture().key());
    json.put("d_in", config.dIn()).put("d_sae", config.dSae());
    if (config.architecture().isTranscoder()) {
      json.put("d_out", config.dOut());
    }
    json.put("dtype", "float32").put("device", "cpu");
    json.put("apply_b_dec_to_input", config.applyBDecToInput());
    json.put("normalize_activations", config.normalizeActivations().key());
    json.put("reshape_activations", "none");
    config.k().ifPresent(k -> json.put("k", k));
    ObjectNode metadata = json.putObject("metadata");
    metadata.put("sae_lens_version", VERSION);
    config.hookPoint().ifPresent(hook -> metadata.put("hook_name", hook));
    config.hookPointOut().ifPresent(hook -> metadata.put("hook_name_out", hook));
    config.modelName().ifPresent(model -> metadata.put("model_name", model));
    if (!config.matryoshkaWidths().isEmpty()) {
      config.matryoshkaWidths().forEach(metadata.putArray("matryoshka_widths")::add);
    }
    return json;
  }
}
