package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.stream.ActivationException;
import io.matryoshka.sae.stream.ActivationFiles;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
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
    options = bits == null ? options : options.bits(bits);
    try {
      return ActivationSource.open(files, options);
    } catch (ActivationException e) {
      throw new ActivationException(e.getMessage() + otherWidth(files, sae.dIn()));
    }
  }

  /** Whose activations these are by their width, if that is another one of the known releases. */
  private static String otherWidth(List<Path> files, int dIn) {
    int found;
    try {
      found = ActivationSource.open(files.subList(0, 1)).dIn();
    } catch (IOException e) {
      return "";
    }
    String releases =
        ReleaseRegistry.bundled().releases().stream()
            .filter(release -> release.saes().stream().anyMatch(sae -> sae.dIn() == found))
            .map(Release::id)
            .collect(Collectors.joining(", "));
    return found == dIn || releases.isEmpty()
        ? ""
        : "; %d is the d_in of %s".formatted(found, releases);
  }
}
