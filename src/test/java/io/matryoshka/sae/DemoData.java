package io.matryoshka.sae;

import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;

/** The bundled demo SAE, its held-out activations and what SAELens 6.18.0 gave for them. */
final class DemoData {

  static final String RELEASE = "all-minilm-l6-v2-matryoshka-demo";
  static final String SAE_ID = "last_hidden_state";
  static final int ROWS = 512;
  static final int D_IN = 384;
  static final int D_SAE = 2048;
  static final int[] WIDTHS = {32, 128, 512, 2048};

  private DemoData() {}

  static SAE sae(LoadOptions options) throws IOException {
    return SAE.fromPretrained(RELEASE, SAE_ID, options);
  }

  static float[] activations() throws IOException {
    return floats("/io/matryoshka/sae/releases/demo/activations.safetensors", "activations");
  }

  static float[] reference(String tensor) throws IOException {
    return floats("/demo/reference.safetensors", tensor);
  }

  static int[] referenceInts(String tensor) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path("/demo/reference.safetensors"))) {
      return file.readInts(tensor);
    }
  }

  private static float[] floats(String resource, String tensor) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path(resource))) {
      return file.readFloats(tensor);
    }
  }

  static Path path(String resource) {
    URL url = Objects.requireNonNull(DemoData.class.getResource(resource), resource);
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(resource, e);
    }
  }
}
