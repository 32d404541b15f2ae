package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.TextFiles;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Files of documents as a language model reads them. */
final class Documents {

  private Documents() {}

  /**
   * Reads documents: packed into contexts for a decoder, each for itself for an encoder.
   *
   * @param packing how a decoder's contexts are packed
   * @param longest tokens of a part of an encoder's document; empty for what it takes
   * @throws IllegalArgumentException if the files hold no text
   */
  static List<Tokens> read(
      List<Path> files, LanguageModel model, PackingOptions packing, Optional<Integer> longest)
      throws IOException {
    List<Tokens> contexts = TextFiles.contexts(files, model, packing, longest);
    if (contexts.isEmpty()) {
      throw new IllegalArgumentException("--text-file: the files hold no text");
    }
    return contexts;
  }
}
