package io.matryoshka.sae.lm;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** The file names of a model folder, and the index that tells which shard holds a tensor. */
final class ShardIndex {

  static final String CONFIG = "config.json";
  static final String TOKENIZER = "tokenizer.json";
  static final String SINGLE_FILE = "model.safetensors";
  static final String FILE = "model.safetensors.index.json";

  private ShardIndex() {}

  /** Reads the shard of each tensor. */
  static Map<String, String> read(Path file) throws IOException {
    JsonNode map = JsonFiles.readObject(file).path("weight_map");
    if (!map.isObject() || map.isEmpty()) {
      throw new ModelFormatException(file + ": weight_map: expected the shard of each tensor");
    }
    Map<String, String> shards = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      String shard = entry.getValue().asText("");
      if (!shard.matches("[\\w.-]+\\.safetensors")) {
        throw new ModelFormatException(
            "%s: weight_map: %s: expected the name of a safetensors file in the same folder, got %s"
                .formatted(file, entry.getKey(), entry.getValue()));
      }
      shards.put(entry.getKey(), shard);
    }
    return shards;
  }
}
