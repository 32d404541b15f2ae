package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/** The SAEs of several layers, for whose texts one pass of the language model is enough. */
record LayerSaes(List<SaeEntry> entries, LoadMixin load, ModelMixin model, TextMixin text) {

  /** Opens the language model of the first SAE, or the one that was named. */
  LanguageModel openModel(Output output) throws IOException {
    try (SAE sae = load.open(entries.get(0), output)) {
      return load.openModel(sae, model, output);
    }
  }

  /**
   * Opens each SAE once, before the model runs, and checks that it fits.
   *
   * @param opened the language model
   * @param each is given each SAE while it is open
   * @return the one way to pack documents for all
   */
  PackingOptions look(LanguageModel opened, Output output, BiConsumer<SaeEntry, SAE> each)
      throws IOException {
    Optional<PackingOptions> common = Optional.empty();
    for (SaeEntry entry : entries) {
      try (SAE sae = load.open(entry, output)) {
        opened.requireFits(sae);
        each.accept(entry, sae);
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
    }
    return common.orElseThrow();
  }

  private static String adviceOn(PackingOptions one, PackingOptions other) {
    return one.contextSize() == other.contextSize()
        ? ", with other special tokens; take them one by one"
        : "; say with --context-size which all of them get";
  }
}
