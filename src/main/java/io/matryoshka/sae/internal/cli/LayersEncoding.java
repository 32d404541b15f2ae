package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.EncodeRun;
import java.io.IOException;
import java.nio.file.Path;

/** Encodes texts that go through the language model once, with the SAEs of several layers. */
final class LayersEncoding {

  private final LayerSaes saes;
  private final Output output;

  LayersEncoding(LayerSaes saes, Output output) {
    this.saes = saes;
    this.output = output;
  }

  /** Is told what was written for an SAE. */
  @FunctionalInterface
  interface Listener {
    void written(SaeEntry entry, Path folder, EncodeResult result);
  }

  /**
   * Runs the model, and encodes with one SAE after the other.
   *
   * @param target gets a folder for each SAE, named by its id
   */
  void run(Path target, EncodeOptions options, Listener listener) throws IOException {
    saes.each(
        saes.activations(false),
        (entry, sae, source) -> {
          Path folder = LayerSaes.place(target, entry, "");
          listener.written(entry, folder, encode(sae, source, folder, options, entry));
        });
  }

  @SuppressWarnings("try") // The hint does its work by being open.
  private EncodeResult encode(
      SAE sae, ActivationSource source, Path folder, EncodeOptions options, SaeEntry entry)
      throws IOException {
    String howToGoOn = "run the same command to go on from the files finished in " + folder;
    try (Progress bar = output.progress("encode " + entry.saeId(), "tokens", source.rows());
        ResumeHint hint = ResumeHint.whileOpen(output, howToGoOn)) {
      return EncodeRun.toFolder(
          sae,
          source,
          folder,
          options.saeName(LayerSaes.name(entry)).progress((done, rows) -> bar.stepTo(done)));
    }
  }
}
