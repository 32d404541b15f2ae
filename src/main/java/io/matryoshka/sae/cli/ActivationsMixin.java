package io.matryoshka.sae.cli;

import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that name model activations. */
final class ActivationsMixin {

  @Option(
      names = {"-i", "--input"},
      paramLabel = "FILE",
      arity = "1..*",
      required = true,
      description =
          "Activations: .safetensors or .npy files, folders of them, or patterns; read one after"
              + " the other.")
  private List<String> inputs;

  @Mixin private TensorMixin tensor;

  /** Opens the activations of an SAE. */
  ActivationSource open(int dIn) throws IOException {
    return tensor.open(inputs, dIn);
  }
}
