package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.explore.Tokens;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The option that names the texts of the tokens. */
final class TokensMixin {

  @Option(
      names = "--tokens",
      paramLabel = "FILE",
      description =
          "Texts of the tokens, one per row: a .json list, or a text file with one token a line.")
  private Path file;

  boolean isGiven() {
    return file != null;
  }

  /** Reads the texts of the rows of a source; else those of the text that it comes from. */
  Optional<Tokens> read(ActivationSource source, Optional<TextActivations> ofText)
      throws IOException {
    return read(source).or(() -> ofText.map(TextActivations::tokens));
  }

  /** Reads the texts of the rows of a source; empty if none are given. */
  Optional<Tokens> read(ActivationSource source) throws IOException {
    if (file == null) {
      return Optional.empty();
    }
    Tokens tokens = Tokens.read(file);
    tokens.requireRows(source.rows());
    return Optional.of(tokens);
  }
}
