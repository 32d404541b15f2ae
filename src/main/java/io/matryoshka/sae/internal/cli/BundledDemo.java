package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.explore.Tokens;
import io.matryoshka.sae.internal.io.TemporaryFolder;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The bundled activations and their tokens, copied out of the jar when asked for. */
final class BundledDemo implements AutoCloseable {

  private static final String ACTIVATIONS = "activations.safetensors";
  private static final String TOKENS = "tokens.json";

  private TemporaryFolder folder;

  private BundledDemo() {}

  static BundledDemo open() {
    return new BundledDemo();
  }

  ActivationSource activations() throws IOException {
    return ActivationSource.open(
        List.of(copy(ACTIVATIONS)),
        SourceOptions.defaults().dIn(DemoData.D_IN).tensor("activations"));
  }

  Tokens tokens() throws IOException {
    return Tokens.read(copy(TOKENS));
  }

  private Path copy(String name) throws IOException {
    if (folder == null) {
      folder = TemporaryFolder.create("demo");
    }
    Path file = folder.path().resolve(name);
    try (InputStream in = DemoData.open(name)) {
      Files.copy(in, file);
    }
    return file;
  }

  @Override
  public void close() throws IOException {
    if (folder != null) {
      folder.close();
    }
  }
}
