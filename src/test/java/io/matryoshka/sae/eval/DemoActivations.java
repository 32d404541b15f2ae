package io.matryoshka.sae.eval;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;

/** The bundled demo SAE and its activations, {@code [512, 384]}. */
final class DemoActivations {

  static final String RELEASE = "all-minilm-l6-v2-matryoshka-demo";
  static final String SAE_ID = "last_hidden_state";
  static final int ROWS = 512;
  static final int D_IN = 384;

  private DemoActivations() {}

  static SAE sae() throws IOException {
    return SAE.fromPretrained(RELEASE, SAE_ID);
  }

  static float[] activations() throws IOException {
    try (SafetensorsFile file =
        SafetensorsFile.open(path("/io/matryoshka/sae/releases/demo/activations.safetensors"))) {
      return file.readFloats("activations");
    }
  }

  static Path path(String resource) {
    try {
      return Path.of(
          Objects.requireNonNull(DemoActivations.class.getResource(resource), resource).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(resource, e);
    }
  }
}
