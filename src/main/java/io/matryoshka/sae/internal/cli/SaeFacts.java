package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.SaeConfig;
import java.util.Arrays;
import java.util.Optional;

/** What the files of an SAE say. */
final class SaeFacts {

  /** Latents below this log10 frequency never fired: SAELens adds 1e-10 to each frequency. */
  private static final float NEVER = -9.9f;

  private SaeFacts() {}

  static void add(SAE sae, ObjectNode json, TextTable text) {
    config(sae, json, text);
    shapes(sae, json.putArray("tensors"), text);
    Summary thresholds = Summary.of(sae.thresholds());
    json.set("threshold", thresholds.json());
    text.row("threshold", thresholds.text(4));
    sae.logSparsity().ifPresent(values -> sparsity(values, json, text));
    json.put("weight_bytes", sae.weightBytes()).put("prepared_bytes", sae.preparedBytes());
    text.row("memory for weights", Numbers.bytes(sae.weightBytes()));
    text.row(
        "memory for the prepared encoder",
        sae.preparedBytes() == 0 ? "none" : Numbers.bytes(sae.preparedBytes()));
  }

  private static void config(SAE sae, ObjectNode json, TextTable text) {
    SaeConfig config = sae.config();
    json.put("architecture", config.architecture().key())
        .put("dtype", DtypeConverter.name(config.dtype()))
        .put("normalize_activations", config.normalizeActivations().key())
        .put("apply_b_dec_to_input", config.applyBDecToInput());
    text.row("architecture", config.architecture().key());
    text.row("dtype", DtypeConverter.name(config.dtype()));
    text.row("normalize_activations", config.normalizeActivations().key());
    text.row("apply_b_dec_to_input", config.applyBDecToInput());
    if (!json.has("d_sae")) {
      json.put("d_in", sae.dIn()).put("d_sae", config.dSae());
      sae.widths().forEach(json.putArray("widths")::add);
      config.modelName().ifPresent(name -> json.put("model", name));
      config.hookPoint().ifPresent(hook -> json.put("hook_point", hook));
      text.field("model", config.modelName());
      config.hookPointOut().ifPresent(hook -> json.put("hook_point_out", hook));
      text.field("hook point", config.hookPoint());
      text.field("hook point of the output", config.hookPointOut());
      text.row("d_in", sae.dIn());
      text.row("d_sae", config.dSae());
      text.row(
          "Matryoshka widths",
          sae.widths() + (sae.widths().size() > 1 ? "" : " (the files name no smaller ones)"));
    }
    if (sae.isTranscoder()) {
      json.put("d_out", sae.dOut());
      text.row("d_out", sae.dOut());
    }
    Optional.of(sae.dSae())
        .filter(width -> width < config.dSae())
        .ifPresent(
            width -> {
              json.put("prefix", width);
              text.row("loaded prefix", width);
            });
  }

  private static void shapes(SAE sae, ArrayNode json, TextTable text) {
    SaeConfig config = sae.config();
    StringBuilder all = new StringBuilder();
    config
        .architecture()
        .tensors(config)
        .forEach((name, shape) -> all.append(tensor(json, name, shape)));
    text.row("tensors", all.toString().strip());
  }

  private static String tensor(ArrayNode json, String name, long... shape) {
    ArrayNode sizes = json.addObject().put("name", name).putArray("shape");
    for (long size : shape) {
      sizes.add(size);
    }
    return name + " " + Arrays.toString(shape) + "  ";
  }

  private static void sparsity(float[] logSparsity, ObjectNode json, TextTable text) {
    Summary summary = Summary.of(logSparsity);
    int silent = 0;
    for (float value : logSparsity) {
      silent += value < NEVER ? 1 : 0;
    }
    json.set("log10_sparsity", summary.json().put("never_fired", silent));
    text.row("log10 firing frequency", summary.text(2));
    text.row("latents that never fired", silent + " of " + logSparsity.length);
  }
}
