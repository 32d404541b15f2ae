package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that name model activations, where the bundled demo brings its own. */
final class ActivationsOrDemoMixin {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"-i", "--input"},
      paramLabel = "FILE",
      arity = "1..*",
      parameterConsumer = InputConsumer.class,
      description =
          "Activations: .safetensors or .npy files, folders of them, or patterns, read one after"
              + " the other; - is standard input; default for the bundled demo: its own.")
  private List<String> inputs = new ArrayList<>();

  @Mixin private SpecialTokensMixin special;

  @Mixin private TensorMixin tensor;

  @Mixin private ModelMixin model;

  @Mixin private TextMixin text;

  private TextActivations ofText;

  private List<Path> files;

  /**
   * Tells whether the bundled activations are meant, and finds the files that are otherwise.
   *
   * @throws IOException if an input names nothing
   * @throws ParameterException if there is no input and the SAE is not the bundled demo
   */
  boolean isDemo(Optional<SaeEntry> entry) throws IOException {
    requireNotBoth();
    if (text.isGiven()) {
      return false;
    }
    if (!inputs.isEmpty()) {
      files = TensorMixin.find(inputs);
      return false;
    }
    if (entry.filter(e -> e.release().equals(DemoData.RELEASE)).isEmpty()) {
      throw new ParameterException(
          command.commandLine(),
          "expected activations with --input, or text with --text, --text-file or --ids, got none; the bundled demo alone needs none");
    }
    return true;
  }

  /** Opens the activations of an SAE, after running the language model where text was given. */
  ActivationSource open(SAE sae, LoadMixin load, Output output) throws IOException {
    if (!text.isGiven()) {
      return tensor.open(files, sae);
    }
    ofText = TextActivations.of(sae, text, model, load, output, special.skips());
    return ofText.open(sae);
  }

  /** Refuses files beside text. */
  void requireNotBoth() {
    if (text.isGiven() && !inputs.isEmpty()) {
      throw new ParameterException(
          command.commandLine(), "expected either --input or text, got both");
    }
  }

  /** Whether the user wants rows of special tokens left out, whatever an SAE says. */
  boolean skipsSpecial() {
    return special.skips();
  }

  /** Whether rows of special tokens are left out of the figures of an SAE. */
  boolean leavesOutSpecial(SAE sae) {
    return special.skips() || PackingOptions.excludesSpecialTokens(sae);
  }

  /** Which rows of the activations count, once they are open. */
  RowRules rules(RowRules given, SAE sae, Output output) throws IOException {
    return rules(given, sae, ofText(), output);
  }

  /** The same for activations of text that several SAEs share. */
  RowRules rules(RowRules given, SAE sae, Optional<TextActivations> texts, Output output)
      throws IOException {
    if (special.skips() && given.mask().isPresent()) {
      throw new ParameterException(
          command.commandLine(), "expected either --mask or --skip-special-tokens, got both");
    }
    return texts.isEmpty() ? given : texts.get().rules(given, sae, output);
  }

  /** The SAEs of several layers, which all read the activations of the text. */
  LayerSaes ofLayers(List<SaeEntry> entries, LoadMixin load, Output output) {
    return new LayerSaes(entries, load, model, text, output);
  }

  /** The text that the activations come from. */
  TextMixin text() {
    return text;
  }

  /** The language model that the activations come from. */
  ModelMixin model() {
    return model;
  }

  /** Loads the language model that makes the activations of an SAE. */
  LanguageModel openModel(SAE sae, LoadMixin load, Output output) throws IOException {
    return load.openModel(sae, model, output);
  }

  /** What was made of text; empty before {@link #open(SAE, LoadMixin, Output)}, and for files. */
  Optional<TextActivations> ofText() {
    return Optional.ofNullable(ofText);
  }

  /** Opens the activations that a transcoder should give. */
  ActivationSource openTarget(List<String> names, SAE sae) throws IOException {
    return ActivationSource.open(TensorMixin.find(names), SourceOptions.defaults().dIn(sae.dOut()));
  }

  /** Opens other files, of which the same tensor is read. */
  ActivationSource open(List<Path> others, SAE sae) throws IOException {
    return tensor.open(others, sae);
  }
}
