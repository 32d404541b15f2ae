package io.matryoshka.sae.support;

import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A copy of an SAE that encodes alike and decodes otherwise. */
public final class ScaledDecoder {

  private static final String WEIGHTS = "sae_weights.safetensors";
  private static final String W_DEC = "W_dec";

  private ScaledDecoder() {}

  /** Copies a folder, with one decoder row times a factor, in float32. */
  public static Path copy(Path from, Path to, int latent, float factor) throws IOException {
    Files.createDirectories(to);
    Files.copy(from.resolve("cfg.json"), to.resolve("cfg.json"));
    try (SafetensorsFile file = SafetensorsFile.open(from.resolve(WEIGHTS))) {
      SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
      for (String name : file.names()) {
        builder.tensor(name, Dtype.F32, file.info(name).shape());
      }
      try (SafetensorsWriter writer = builder.create(to.resolve(WEIGHTS))) {
        for (String name : file.names()) {
          writer.writeFloats(
              name, name.equals(W_DEC) ? scaled(file, latent, factor) : file.readFloats(name));
        }
        writer.finish();
      }
    }
    return to;
  }

  private static float[] scaled(SafetensorsFile file, int latent, float factor) throws IOException {
    float[] values = file.readFloats(W_DEC);
    int width = Math.toIntExact(file.info(W_DEC).shape()[1]);
    for (int i = latent * width; i < (latent + 1) * width; i++) {
      values[i] *= factor;
    }
    return values;
  }
}
