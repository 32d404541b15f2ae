package io.matryoshka.sae.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.stream.ActivationFiles;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say what to read of files of activations. */
final class TensorMixin {

  @Option(
      names = "--tensor",
      paramLabel = "NAME",
      description =
          "Tensor in .safetensors files, or a pattern such as 'p*' for one tensor after the other,"
              + " p2 before p10; default: the only one of width d_in.")
  private String tensor;

  @Option(
      names = "--as",
      paramLabel = "TYPE",
      description =
          "What two-byte elements are whose file does not tell: bfloat16 or float16. NumPy has no"
              + " bfloat16 and stores it as V2, u2 or i2.")
  private HalfType bits;

  /** Finds the files that inputs stand for, before anything large is loaded. */
  static List<Path> find(List<String> inputs) throws IOException {
    return ActivationFiles.find(StandardInput.resolve(inputs));
  }

  /** Opens the activations of an SAE. */
  ActivationSource open(List<Path> files, SAE sae) throws IOException {
    SourceOptions options = SourceOptions.of(sae);
    options = tensor == null ? options : options.tensor(tensor);
    return ActivationSource.open(files, bits == null ? options : options.bits(bits));
  }
}
