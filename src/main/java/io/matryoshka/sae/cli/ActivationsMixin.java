package io.matryoshka.sae.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that name model activations. */
final class ActivationsMixin {

  @Option(
      names = {"-i", "--input"},
      paramLabel = "FILE",
      arity = "1..*",
      parameterConsumer = InputConsumer.class,
      required = true,
      description =
          "Activations: .safetensors or .npy files, folders of them, or patterns, read one after"
              + " the other; - is standard input.")
  private List<String> inputs = new ArrayList<>();

  @Mixin private TensorMixin tensor;

  private List<Path> files;

  /** Finds the files, so that a wrong name is told before an SAE is loaded. */
  void find() throws IOException {
    files = TensorMixin.find(inputs);
  }

  /** Opens the activations of an SAE. */
  ActivationSource open(SAE sae) throws IOException {
    if (files == null) {
      find();
    }
    return tensor.open(files, sae);
  }
}
