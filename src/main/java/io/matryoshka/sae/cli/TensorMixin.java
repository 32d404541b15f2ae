package io.matryoshka.sae.cli;

import io.matryoshka.sae.stream.ActivationFiles;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The option that names the tensor to read of files of activations. */
final class TensorMixin {

  @Option(
      names = "--tensor",
      paramLabel = "NAME",
      description = "Tensor in .safetensors files; default: the only one of width d_in.")
  private String tensor;

  /** Opens files, folders or patterns of them. */
  ActivationSource open(List<String> inputs, int dIn) throws IOException {
    List<Path> files = ActivationFiles.find(inputs);
    return tensor == null
        ? ActivationSource.open(files, dIn)
        : ActivationSource.open(files, dIn, tensor);
  }
}
