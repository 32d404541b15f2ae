package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * The SAEs of several layers, for whose texts one pass of the language model is enough. Before it
 * runs, their configurations are checked; weights are opened, and fetched, when their turn comes:
 * those of one SAE at a time.
 */
final class LayerSaes {

  private final List<SaeEntry> entries;
  private final LoadMixin load;
  private final ModelMixin model;
  private final TextMixin text;
  private final Output output;

  LayerSaes(
      List<SaeEntry> entries, LoadMixin load, ModelMixin model, TextMixin text, Output output) {
    this.entries = entries;
    this.load = load;
    this.model = model;
    this.text = text;
    this.output = output;
  }

  /** A language model that all SAEs fit, and the texts as all of them read them. */
  record Opened(LanguageModel model, PackingOptions packing, List<Tokens> texts)
      implements AutoCloseable {

    @Override
    public void close() {
      model.close();
    }
  }

  /** Does what is to be done with one SAE, which is closed afterwards. */
  @FunctionalInterface
  interface Work {
    void with(SaeEntry entry, SAE sae, ActivationSource activations) throws IOException;
  }

  /**
   * Opens the language model of the first SAE, or the one that was named, checks that all SAEs fit
   * it, and reads the texts.
   *
   * @param look is given what the files of each SAE say
   */
  Opened open(BiConsumer<SaeEntry, SaeConfig> look) throws IOException {
    LanguageModel opened = load.openModel(load.config(entries.get(0), output), model, output);
    try {
      PackingOptions packing = check(opened, look);
      return new Opened(opened, packing, text.read(opened, packing));
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /** Checks that all SAEs fit the model, and read documents that are packed in one way. */
  private PackingOptions check(LanguageModel opened, BiConsumer<SaeEntry, SaeConfig> look)
      throws IOException {
    Optional<PackingOptions> common = Optional.empty();
    for (SaeEntry entry : entries) {
      SaeConfig sae = load.config(entry, output);
      opened.requireFits(sae);
      look.accept(entry, sae);
      PackingOptions packing = text.packing(Optional.of(sae), opened.config());
      if (!text.packedFiles().isEmpty() && !packing.equals(common.orElse(packing))) {
        throw new IllegalArgumentException(
            "%s and %s were trained on contexts made in different ways: of %d and of %d tokens%s"
                .formatted(
                    entries.get(0).saeId(),
                    entry.saeId(),
                    common.get().contextSize(),
                    packing.contextSize(),
                    adviceOn(common.get(), packing)));
      }
      common = Optional.of(common.orElse(packing));
    }
    return common.orElseThrow();
  }

  private static String adviceOn(PackingOptions one, PackingOptions other) {
    return one.contextSize() == other.contextSize()
        ? ", with other special tokens; take them one by one"
        : "; say with --context-size which all of them get";
  }

  /**
   * Runs the texts through the language model, once up to all places that the SAEs read.
   *
   * @param skipsSpecial whether rows of special tokens are left out whatever an SAE says
   */
  TextActivations activations(boolean skipsSpecial) throws IOException {
    Map<String, Integer> widths = new LinkedHashMap<>();
    try (Opened opened =
        open((entry, sae) -> widths.put(HookPoint.of(sae).toString(), sae.dIn()))) {
      return TextActivations.of(opened.model(), opened.texts(), widths, output, skipsSpecial);
    }
  }

  /** Opens one SAE after the other, with its activations. */
  void each(TextActivations activations, Work work) throws IOException {
    for (SaeEntry entry : entries) {
      try (SAE sae = load.open(entry, output)) {
        work.with(entry, sae, activations.open(sae));
      }
    }
  }

  /**
   * The place of a result of one SAE in a folder of results, named by its id. A release of one's
   * own may call its SAEs anything.
   *
   * @param ending of the file; empty for a folder
   */
  static Path place(Path folder, SaeEntry entry, String ending) {
    return find(folder, entry, ending)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the id '%s' names no place below %s; take this SAE alone"
                        .formatted(entry.saeId(), folder)));
  }

  /** The same; empty if the id names no place below the folder. */
  static Optional<Path> find(Path folder, SaeEntry entry, String ending) {
    String name = entry.saeId() + ending;
    Path base = folder.toAbsolutePath().normalize();
    Path place = base.resolve(name).normalize();
    return place.startsWith(base) && !place.equals(base)
        ? Optional.of(folder.resolve(name))
        : Optional.empty();
  }

  /** How people name one of the SAEs. */
  static String name(SaeEntry entry) {
    return entry.release() + " " + entry.saeId();
  }
}
