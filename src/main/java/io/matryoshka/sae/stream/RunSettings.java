package io.matryoshka.sae.stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.config.SaeConfig;
import java.io.IOException;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;

/**
 * All that decides about the bytes of a run, as JSON. Two runs with equal settings are the same.
 */
public final class RunSettings {

  private static final ObjectMapper JSON = new ObjectMapper();

  private RunSettings() {}

  static ObjectNode of(SAE sae, ActivationSource source, EncodeOptions options) throws IOException {
    Selection selection = options.selection().orElse(sae.defaultSelection());
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("sae", decoderMatters(sae) ? describe(sae) : describeEncoder(sae));
    json.put("selection", selection.toString());
    if (selection.dependsOnBatch()) {
      json.put("batch_rows", options.batchRows());
    }
    options.rows().addTo(json);
    json.put("rows_per_shard", options.rowsPerShard());
    json.put("rows", source.rows());
    json.set("source", describe(source));
    // Read back, so that numbers have the node types of a file.
    return (ObjectNode) JSON.readTree(json.toString());
  }

  /** Whether latents depend on the decoder. */
  private static boolean decoderMatters(SAE sae) {
    return sae.config().rescaleActsByDecoderNorm();
  }

  /**
   * Describes an SAE: its sizes, how it encodes, a hash of a part of the encoder, and one of all
   * that decodes.
   *
   * @param sae the SAE
   * @return the description
   */
  public static ObjectNode describe(SAE sae) {
    ObjectNode json = describeEncoder(sae);
    json.put("decoder_sha256", Fingerprint.ofDecoder(sae));
    return json;
  }

  /** Describes what makes latents of activations. */
  private static ObjectNode describeEncoder(SAE sae) {
    SaeConfig config = sae.config();
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    config.hookPoint().ifPresent(hookPoint -> json.put("hook_point", hookPoint));
    json.put("architecture", config.architecture().name().toLowerCase(Locale.ROOT));
    json.put("d_in", sae.dIn());
    json.put("width", sae.dSae());
    json.put("dtype", config.dtype().name());
    json.put("apply_b_dec_to_input", config.applyBDecToInput());
    json.put("normalize_activations", config.normalizeActivations().key());
    if (sae.normScalingFactor() != 1) {
      json.put("norm_scaling_factor", sae.normScalingFactor());
    }
    json.put("rescale_acts_by_decoder_norm", config.rescaleActsByDecoderNorm());
    json.put("parameters_sha256", Fingerprint.ofEncoder(sae));
    return json;
  }

  /**
   * Describes activations: the sizes of their files, and a hash of the ends of each; or what they
   * were {@linkplain ActivationSource#madeFrom made from}.
   *
   * @param source the activations
   * @return an array with one object per file; or an object
   * @throws IOException if a file cannot be read
   */
  public static JsonNode describe(ActivationSource source) throws IOException {
    if (source.origin().isPresent()) {
      return source.origin().get().deepCopy();
    }
    ArrayNode files = JsonNodeFactory.instance.arrayNode();
    for (ActivationShard shard : source.shards()) {
      ObjectNode json = files.addObject();
      json.put("file", shard.file().fileName());
      json.put("tensor", shard.tensor());
      json.put("dtype", shard.dtype());
      shard.bits().ifPresent(bits -> json.put("read_as", bits.name()));
      json.put("first_row", shard.firstRow());
      json.put("rows", shard.rows());
      json.put("size_bytes", shard.stamp().sizeBytes());
      json.put("ends_sha256", Fingerprint.of(shard.file()));
    }
    return files;
  }

  /**
   * Says where settings differ.
   *
   * @param before the settings of a run, as read from a file
   * @param now the settings that are wanted, as read from a file
   * @return the place and both values, in words for a message; empty if they do not differ
   */
  public static Optional<String> difference(JsonNode before, JsonNode now) {
    return difference("", before, now);
  }

  private static Optional<String> difference(String path, JsonNode before, JsonNode now) {
    if (before.equals(now)) {
      return Optional.empty();
    }
    if (before.isArray() && now.isArray() && before.size() != now.size()) {
      return Optional.of(path + " had " + before.size() + " files, now it has " + now.size());
    }
    if (before.getNodeType() != now.getNodeType() || before.isValueNode()) {
      return Optional.of(path + " was " + text(before) + ", now it is " + text(now));
    }
    if (before.isArray()) {
      for (int i = 0; i < before.size(); i++) {
        Optional<String> found = difference(path + "[" + i + "]", before.get(i), now.get(i));
        if (found.isPresent()) {
          return found;
        }
      }
      return Optional.empty();
    }
    ObjectNode keys = now.deepCopy();
    keys.setAll((ObjectNode) before);
    for (Iterator<String> names = keys.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      String at = path.isEmpty() ? name : path + "." + name;
      Optional<String> found = difference(at, before.path(name), now.path(name));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static String text(JsonNode node) {
    return node.isMissingNode() ? "missing" : node.toString();
  }
}
