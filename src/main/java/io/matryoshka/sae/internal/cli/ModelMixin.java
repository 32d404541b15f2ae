package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.LanguageModelOptions;
import io.matryoshka.sae.registry.ReleaseRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that name a language model. */
final class ModelMixin {

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "Language model: a folder, a repository on the Hugging Face Hub such as"
              + " google/gemma-3-1b-pt, or a name such as gemma-2-2b; default: the SAE's.")
  private String model;

  @Option(
      names = "--bfloat16-products",
      description =
          "Multiply matrices of the model in bfloat16: faster on processors that have such"
              + " products, less exact.")
  private boolean bfloat16;

  boolean isGiven() {
    return model != null;
  }

  /** What the model computes in. */
  String arithmetic() {
    return bfloat16 ? "float32 with bfloat16 products" : "float32";
  }

  boolean isBfloat16() {
    return bfloat16;
  }

  /** What the user named. */
  Optional<String> name() {
    return Optional.ofNullable(model);
  }

  /** Loads the model that was named. */
  LanguageModel open(HubOptions hub, ReleaseRegistry registry) throws IOException {
    LanguageModelOptions options = options(hub, registry);
    Optional<Path> folder = folder();
    return folder.isPresent()
        ? LanguageModel.load(folder.get(), options)
        : LanguageModel.fromPretrained(model, options);
  }

  /**
   * Loads the model that was named, which has to fit the SAE, else the one that the SAE reads.
   *
   * @param release the release of the SAE, if it has one; its model goes before what the files say
   */
  LanguageModel open(
      SaeConfig sae, Optional<String> release, HubOptions hub, ReleaseRegistry registry)
      throws IOException {
    if (!isGiven() && release.isEmpty()) {
      return LanguageModel.of(sae, options(hub, registry));
    }
    LanguageModel opened =
        isGiven()
            ? open(hub, registry)
            : LanguageModel.ofRelease(release.get(), options(hub, registry));
    try {
      opened.requireFits(sae);
      return opened;
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  private LanguageModelOptions options(HubOptions hub, ReleaseRegistry registry) {
    return LanguageModelOptions.defaults().bfloat16Products(bfloat16).hub(hub).registry(registry);
  }

  /** The folder that the user named, if it is one, or can be nothing else. */
  Optional<Path> folder() {
    try {
      return name()
          .map(Path::of)
          .filter(path -> Files.exists(path) || Names.isPath(path.toString()));
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }
}
