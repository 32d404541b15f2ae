package io.matryoshka.sae.lm;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.internal.filetype.JsonObjects;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads the JSON files of a model folder. */
final class JsonFiles {

  private JsonFiles() {}

  static JsonNode readObject(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(
          file.toString(),
          null,
          "a model folder holds config.json and model.safetensors; this file is missing");
    }
    return JsonObjects.read(file, ModelFormatException::new);
  }
}
