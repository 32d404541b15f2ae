package io.matryoshka.sae.cli;

import io.matryoshka.sae.stream.ActivationFiles;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that name model activations. */
final class ActivationsMixin {

  static final String TENSOR_DESCRIPTION =
      "Tensor in .safetensors files; default: the only one of width d_in.";

  @Option(
      names = {"-i", "--input"},
      paramLabel = "FILE",
      arity = "1..*",
      required = true,
      description =
          "Activations: .safetensors or .npy files, folders of them, or patterns; read one after"
              + " the other.")
  private List<String> inputs;

  @Option(names = "--tensor", paramLabel = "NAME", description = TENSOR_DESCRIPTION)
  private String tensor;

  /** Opens the activations of an SAE. */
  ActivationSource open(int dIn) throws IOException {
    return open(inputs, tensor, dIn);
  }

  /** Opens files, of which a named tensor is read, or with null the only one that fits. */
  static ActivationSource open(List<String> inputs, String tensor, int dIn) throws IOException {
    List<Path> files = ActivationFiles.find(inputs);
    return tensor == null
        ? ActivationSource.open(files, dIn)
        : ActivationSource.open(files, dIn, tensor);
  }
}
