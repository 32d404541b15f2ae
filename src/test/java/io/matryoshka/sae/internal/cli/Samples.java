package io.matryoshka.sae.internal.cli;

import java.nio.file.Path;

/** Names and files that tests of commands share. */
final class Samples {

  static final String RELEASE = "all-minilm-l6-v2-matryoshka-demo";
  static final String SAE_ID = "last_hidden_state";
  static final Path DEMO = Path.of("releases", "demo");
  static final Path SAE_FOLDER = DEMO.resolve("all-minilm-l6-v2-matryoshka");
  static final Path ACTIVATIONS = DEMO.resolve("activations.safetensors");
  static final Path TOKENS = DEMO.resolve("tokens.json");

  private Samples() {}
}
