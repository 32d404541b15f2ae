package io.matryoshka.sae.lm;

import java.io.IOException;
import java.nio.file.Path;

/** Reads a {@code config.json} by the rules of the family that its {@code model_type} names. */
final class ModelConfigReader {

  private ModelConfigReader() {}

  static LanguageModelConfig read(Path file) throws IOException {
    ConfigFields fields = new ConfigFields(file, JsonFiles.readObject(file));
    String type = fields.text("model_type", "");
    if (type.equals(BertConfigReader.MODEL_TYPE)) {
      return BertConfigReader.read(fields);
    }
    if (GemmaConfig.Family.of(type).isPresent()) {
      return GemmaConfigReader.read(fields);
    }
    throw fields.problem("model_type", "gemma2, gemma3_text, gemma3 or bert");
  }
}
