package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.LanguageModelConfig;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.TokenIdFile;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that give text, or token ids in its place. */
final class TextMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      description = "A text for the language model; may be given several times.")
  private List<String> texts = new ArrayList<>();

  @Option(
      names = "--text-file",
      paramLabel = "FILE",
      description =
          "A file of text: one document, or one on each line of a .jsonl file (as \"text\"). Documents"
              + " are packed into contexts as SAELens does; an encoder reads each for itself. May be"
              + " given several times.")
  private List<Path> files = new ArrayList<>();

  @Option(
      names = "--ids",
      paramLabel = "FILE",
      description = "Token ids in place of text: a JSON list of lists of ids, taken as they are.")
  private Path ids;

  @Option(
      names = "--context-size",
      paramLabel = "N",
      description =
          "Tokens of a context of --text-file; default: that of the SAE's training, else 128; for an"
              + " encoder the longest part of a document, default: what it takes.")
  private Integer contextSize;

  boolean isGiven() {
    return !texts.isEmpty() || !files.isEmpty() || ids != null;
  }

  /** The files of documents that are packed into contexts; none for texts and ids. */
  List<Path> packedFiles() {
    return files;
  }

  /** How documents are packed for an SAE. */
  PackingOptions packing(Optional<SaeConfig> sae, LanguageModelConfig config) {
    PackingOptions options =
        sae.map(s -> PackingOptions.of(s, config))
            .orElseGet(() -> PackingOptions.of(PackingOptions.DEFAULT_CONTEXT_SIZE, config));
    return contextSize == null ? options : options.contextSize(contextSize);
  }

  /** Reads the texts of a command that takes nothing else. */
  List<Tokens> read(LanguageModel model, Optional<SAE> sae) throws IOException {
    return read(model, packing(sae.map(SAE::config), model.config()));
  }

  /** Reads the texts, documents packed in a given way. */
  List<Tokens> read(LanguageModel model, PackingOptions packing) throws IOException {
    int kinds = (texts.isEmpty() ? 0 : 1) + (files.isEmpty() ? 0 : 1) + (ids == null ? 0 : 1);
    if (kinds != 1) {
      throw new ParameterException(
          command.commandLine(),
          "expected one of --text, --text-file and --ids, got "
              + (kinds == 0 ? "none" : "several"));
    }
    List<Tokens> read =
        ids != null
            ? TokenIdFile.read(ids)
            : files.isEmpty()
                ? typed(model)
                : Documents.read(files, model, packing, Optional.ofNullable(contextSize));
    model.requireFits(read);
    return read;
  }

  private List<Tokens> typed(LanguageModel model) throws IOException {
    List<Tokens> tokens = new ArrayList<>();
    for (String text : texts) {
      tokens.add(model.tokens(text));
    }
    return tokens;
  }
}
