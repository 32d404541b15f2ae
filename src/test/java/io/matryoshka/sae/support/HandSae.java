package io.matryoshka.sae.support;

import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** An SAE with given directions, encoder and decoder alike; no biases, thresholds 0. */
public final class HandSae {

  private HandSae() {}

  /** Writes the folder and loads it. */
  public static SAE load(Path folder, List<Integer> widths, String normalise, float[][] rows)
      throws IOException {
    write(folder, normalise, rows);
    return SAE.load(folder, LoadOptions.defaults().widths(widths).preparedCache(false));
  }

  /** Writes the folder alone. */
  public static void write(Path folder, String normalise, float[][] rows) throws IOException {
    int dIn = rows[0].length;
    int dSae = rows.length;
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("cfg.json"),
        ("{\"architecture\": \"jumprelu\", \"d_in\": %d, \"d_sae\": %d, \"dtype\": \"float32\","
                + " \"apply_b_dec_to_input\": true, \"normalize_activations\": \"%s\","
                + " \"metadata\": {\"sae_lens_version\": \"6.18.0\"}}")
            .formatted(dIn, dSae, normalise));
    float[] encoder = new float[dIn * dSae];
    float[] decoder = new float[dIn * dSae];
    for (int i = 0; i < dSae; i++) {
      for (int d = 0; d < dIn; d++) {
        encoder[d * dSae + i] = rows[i][d];
        decoder[i * dIn + d] = rows[i][d];
      }
    }
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("W_enc", Dtype.F32, dIn, dSae)
            .tensor("W_dec", Dtype.F32, dSae, dIn)
            .tensor("b_enc", Dtype.F32, dSae)
            .tensor("b_dec", Dtype.F32, dIn)
            .tensor("threshold", Dtype.F32, dSae)
            .create(folder.resolve("sae_weights.safetensors"))) {
      writer.writeFloats("W_enc", encoder);
      writer.writeFloats("W_dec", decoder);
      writer.writeFloats("b_enc", new float[dSae]);
      writer.writeFloats("b_dec", new float[dIn]);
      writer.writeFloats("threshold", new float[dSae]);
      writer.finish();
    }
  }
}
