package io.matryoshka.sae.lm;

import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Writes models with random bfloat16 weights. */
final class RandomGemma {

  /** Two layers, of which every matrix of the MLP is several tiles even for one token. */
  static final String TWO_LAYERS =
      """
      {"model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"], "hidden_size": 384,
       "intermediate_size": 6000, "num_hidden_layers": 2, "num_attention_heads": 4,
       "num_key_value_heads": 2, "head_dim": 64, "query_pre_attn_scalar": 64,
       "sliding_window": 100, "vocab_size": 9000, "max_position_embeddings": 1024,
       "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "sliding_window_pattern": 2,
       "rms_norm_eps": 1e-06, "hidden_activation": "gelu_pytorch_tanh", "torch_dtype": "bfloat16",
       "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0, "tie_word_embeddings": true}
      """;

  private RandomGemma() {}

  static void write(Path folder, String json) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), json);
    GemmaConfig config = (GemmaConfig) LanguageModelConfig.read(folder.resolve("config.json"));
    Set<String> some = Set.of("model.embed_tokens.weight");
    Map<String, long[]> shapes = GemmaWeightNames.of(config, some, "random weights").shapes();
    SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
    shapes.forEach((name, shape) -> builder.tensor(name, Dtype.BF16, shape));
    Random random = new Random(0);
    try (SafetensorsWriter writer = builder.create(folder.resolve("model.safetensors"))) {
      for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
        long left = Arrays.stream(tensor.getValue()).reduce(1, Math::multiplyExact);
        float[] block = new float[1 << 16];
        for (int i = 0; i < block.length; i++) {
          block[i] = (random.nextFloat() - 0.5f) * 0.07f;
        }
        while (left > 0) {
          int count = (int) Math.min(left, block.length);
          writer.write(tensor.getKey(), Bfloat16.bytes(Arrays.copyOf(block, count)));
          left -= count;
        }
      }
      writer.finish();
    }
  }
}
