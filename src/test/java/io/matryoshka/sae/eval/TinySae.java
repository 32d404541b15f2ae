package io.matryoshka.sae.eval;

import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * An SAE for sums by hand: d_in 2, three latents that read x0, x1 and nothing and write (1, 0), (0,
 * 1) and (0.5, 0.5); no biases, thresholds 0, widths 1 and 3.
 */
final class TinySae {

  private TinySae() {}

  static SAE load(Path folder) throws IOException {
    Files.writeString(
        folder.resolve("cfg.json"),
        "{\"architecture\": \"jumprelu\", \"d_in\": 2, \"d_sae\": 3, \"dtype\": \"float32\","
            + " \"apply_b_dec_to_input\": true, \"normalize_activations\": \"none\","
            + " \"metadata\": {\"sae_lens_version\": \"6.18.0\"}}");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("W_enc", Dtype.F32, 2, 3)
            .tensor("W_dec", Dtype.F32, 3, 2)
            .tensor("b_enc", Dtype.F32, 3)
            .tensor("b_dec", Dtype.F32, 2)
            .tensor("threshold", Dtype.F32, 3)
            .create(folder.resolve("sae_weights.safetensors"))) {
      writer.writeFloats("W_enc", new float[] {1, 0, 0, 0, 1, 0});
      writer.writeFloats("W_dec", new float[] {1, 0, 0, 1, 0.5f, 0.5f});
      writer.writeFloats("b_enc", new float[3]);
      writer.writeFloats("b_dec", new float[2]);
      writer.writeFloats("threshold", new float[3]);
      writer.finish();
    }
    return SAE.load(folder, LoadOptions.defaults().widths(List.of(1, 3)).preparedCache(false));
  }
}
