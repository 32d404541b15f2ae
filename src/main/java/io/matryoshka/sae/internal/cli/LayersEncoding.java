package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.EncodeRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
    TextActivations activations = compute();
    for (SaeEntry entry : saes.entries()) {
      Path folder = folder(target, entry);
      try (SAE sae = saes.load().open(entry, output)) {
        listener.written(entry, folder, encode(sae, activations, folder, options, entry));
      }
    }
  }

  private TextActivations compute() throws IOException {
    Map<String, Integer> widths = new LinkedHashMap<>();
    try (LanguageModel opened = saes.openModel(output)) {
      List<Tokens> texts =
          saes.text()
              .read(
                  opened,
                  saes.look(
                      opened,
                      output,
                      (entry, sae) -> widths.put(HookPoint.of(sae).toString(), sae.dIn())));
      return TextActivations.of(opened, texts, widths, output);
    }
  }

  @SuppressWarnings("try") // The hint does its work by being open.
  private EncodeResult encode(
      SAE sae, TextActivations activations, Path folder, EncodeOptions options, SaeEntry entry)
      throws IOException {
    ActivationSource source = activations.open(sae);
    String howToGoOn = "run the same command to go on from the files finished in " + folder;
    try (Progress bar = output.progress("encode " + entry.saeId(), "tokens", source.rows());
        ResumeHint hint = ResumeHint.whileOpen(output, howToGoOn)) {
      return EncodeRun.toFolder(
          sae,
          source,
          folder,
          options
              .saeName(entry.release() + " " + entry.saeId())
              .progress((done, rows) -> bar.stepTo(done)));
    }
  }

  /** A release of one's own may call its SAEs anything. */
  private static Path folder(Path target, SaeEntry entry) {
    Path base = target.toAbsolutePath().normalize();
    Path folder = base.resolve(entry.saeId()).normalize();
    if (!folder.startsWith(base) || folder.equals(base)) {
      throw new IllegalArgumentException(
          "the id '%s' names no folder below %s; encode this SAE alone"
              .formatted(entry.saeId(), target));
    }
    return target.resolve(entry.saeId());
  }
}
