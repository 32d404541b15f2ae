package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.stream.ActivationSource;
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

/** The options that name model activations. */
final class ActivationsMixin {

  @Option(
      names = {"-i", "--input"},
      paramLabel = "FILE",
      arity = "1..*",
      parameterConsumer = InputConsumer.class,
      description =
          "Activations: .safetensors or .npy files, folders of them, or patterns, read one after"
              + " the other; - is standard input.")
  private List<String> inputs = new ArrayList<>();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Mixin private TensorMixin tensor;

  @Mixin private ModelMixin model;

  @Mixin private TextMixin text;

  private TextActivations ofText;

  private List<Path> files;

  /** Finds the files, so that a wrong name is told before an SAE is loaded. */
  void find() throws IOException {
    if (text.isGiven() == !inputs.isEmpty()) {
      throw new ParameterException(
          command.commandLine(),
          "expected activations with --input, or text with --text, --text-file or --ids, got "
              + (inputs.isEmpty() ? "none" : "both"));
    }
    if (text.isGiven()) {
      return;
    }
    files = TensorMixin.find(inputs);
  }

  /** Opens the activations of an SAE, after running the language model where text was given. */
  ActivationSource open(SAE sae, LoadMixin load, Output output) throws IOException {
    if (!text.isGiven()) {
      return open(sae);
    }
    ofText = TextActivations.of(sae, text, model, load, output, false);
    return ofText.open(sae);
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

  /** What was made of text; empty before {@link #open(SAE, LoadMixin, Output)}, and for files. */
  Optional<TextActivations> ofText() {
    return Optional.ofNullable(ofText);
  }

  /** Opens the activations of an SAE. */
  private ActivationSource open(SAE sae) throws IOException {
    if (files == null) {
      find();
    }
    return tensor.open(files, sae);
  }
}
