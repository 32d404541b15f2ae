package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.filetype.FileType;
import io.matryoshka.sae.internal.serve.view.Corpus;
import io.matryoshka.sae.internal.serve.view.Workspace;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.registry.SaeLocation;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that give texts from which contexts of latents come. */
final class CorpusMixin {

  private static final SaeLocation.Bundled BOOKWORM = new SaeLocation.Bundled("bookworm-3m");

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"--text-file", "--corpus"},
      paramLabel = "FILE",
      description =
          "A file of text from which the contexts of latents come, read in the background: one"
              + " document, or one on each line of a .jsonl file (as \"text\"). May be given several"
              + " times.")
  private List<Path> files = new ArrayList<>();

  @Option(
      names = "--corpus-tokens",
      paramLabel = "N",
      defaultValue = "200000",
      description = "Tokens of these files that are read at most; default: ${DEFAULT-VALUE}.")
  private int mostTokens;

  @Option(
      names = "--context-size",
      paramLabel = "N",
      description = "Tokens of a context; default: that of the SAE's training, else 128.")
  private Integer contextSize;

  boolean isGiven() {
    return !files.isEmpty();
  }

  /** What is to be read; fails at once where a file is missing. */
  Corpus corpus() throws IOException {
    if (mostTokens < 1) {
      throw new ParameterException(
          command.commandLine(), "--corpus-tokens: expected at least 1, got " + mostTokens);
    }
    List<String> words = new ArrayList<>();
    for (Path file : files) {
      FileType.requireFile(file);
      if (!Files.isReadable(file)) {
        throw new NoSuchFileException(file.toString());
      }
      words.addAll(List.of("--text-file", file.toString()));
    }
    if (contextSize != null) {
      words.addAll(List.of("--context-size", contextSize.toString()));
    }
    String names =
        files.stream().map(file -> file.getFileName().toString()).collect(Collectors.joining(", "));
    return Corpus.toBeRead(names, words);
  }

  /** Reads the files; the bundled texts where there are none. */
  Workspace.Contexts read(LanguageModel model, SAE sae) throws IOException {
    return isGiven() ? packed(model, sae) : bundled(model);
  }

  private Workspace.Contexts packed(LanguageModel model, SAE sae) throws IOException {
    PackingOptions options = PackingOptions.of(sae, model.config());
    options = contextSize == null ? options : options.contextSize(contextSize);
    List<Tokens> contexts = Documents.read(files, model, options, Optional.ofNullable(contextSize));
    int fitting = 0;
    for (long tokens = 0; fitting < contexts.size() && tokens < mostTokens; fitting++) {
      tokens += contexts.get(fitting).size();
    }
    return new Workspace.Contexts(contexts.subList(0, fitting), fitting == contexts.size());
  }

  /** Texts that the bundled language model was not trained on. */
  static Corpus bundledCorpus() {
    return Corpus.toBeRead("the texts that come with bookworm-3m", List.of());
  }

  private static Workspace.Contexts bundled(LanguageModel model) throws IOException {
    List<Tokens> contexts = new ArrayList<>();
    try (InputStream in =
        BOOKWORM
            .resource("texts.json")
            .orElseThrow(() -> new IOException("the jar holds no texts of bookworm-3m"))
            .openStream()) {
      for (JsonNode text : new ObjectMapper().readTree(in).path("texts")) {
        contexts.add(model.tokens(text.path("text").textValue()));
      }
    }
    return new Workspace.Contexts(contexts, true);
  }
}
