package io.matryoshka.sae.explore;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** The bundled demo, and what numpy finds on it (explore/make_expected.py). */
final class DemoSource {

  static final String RELEASE = "all-minilm-l6-v2-matryoshka-demo";
  static final int ROWS = 512;
  private static final String DEMO = "/io/matryoshka/sae/releases/demo/";

  private DemoSource() {}

  static SAE sae() throws IOException {
    return SAE.fromPretrained(RELEASE, "last_hidden_state");
  }

  static ActivationSource source() throws IOException {
    return ActivationSource.open(
        List.of(activations()), SourceOptions.defaults().tensor("activations"));
  }

  static Path activations() {
    return path(DEMO + "activations.safetensors");
  }

  static Tokens tokens() throws IOException {
    return Tokens.read(path(DEMO + "tokens.json"));
  }

  static JsonNode expected() throws IOException {
    try (InputStream in = DemoSource.class.getResourceAsStream("/explore/expected.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  static Path path(String resource) {
    try {
      return Path.of(
          Objects.requireNonNull(DemoSource.class.getResource(resource), resource).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(resource, e);
    }
  }
}
