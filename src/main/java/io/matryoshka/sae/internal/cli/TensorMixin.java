package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.format.SaeFormat;
import io.matryoshka.sae.npy.HalfType;
import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.stream.ActivationException;
import io.matryoshka.sae.stream.ActivationFiles;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
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
    List<String> given = StandardInput.resolve(inputs);
    for (String input : given) {
      requireNoSae(input);
    }
    return ActivationFiles.find(given);
  }

  private static void requireNoSae(String input) throws IOException {
    Path folder;
    try {
      folder = Path.of(input);
    } catch (InvalidPathException e) {
      return; // A pattern, where file names cannot hold its characters.
    }
    for (SaeFormat format : SaeFormat.values()) {
      boolean hasConfig = Files.exists(folder.resolve(format.configFile()));
      if (Files.exists(folder.resolve(format.weightFile()))
          && (hasConfig || !format.needsConfig())) {
        throw new IllegalArgumentException(
            "%s: is the folder of an SAE (it holds %s), expected activations; name the SAE with --dir"
                .formatted(input, format.weightFile()));
      }
    }
  }

  /** Opens the activations of an SAE. */
  ActivationSource open(List<Path> files, SAE sae) throws IOException {
    try {
      return require(ActivationSource.open(files, options(SourceOptions.of(sae))));
    } catch (ActivationException e) {
      throw new ActivationException(e.getMessage() + otherWidth(files, sae.dIn()));
    }
  }

  /** What is to be read of files, wherever they lie. */
  SourceOptions options(SourceOptions basis) {
    SourceOptions options = tensor == null ? basis : basis.tensor(tensor);
    return bits == null ? options : options.bits(bits);
  }

  /** Checks that opened activations are what the options say, and are some. */
  ActivationSource require(ActivationSource source) {
    if (tensor != null && source.shards().stream().allMatch(shard -> shard.tensor().isEmpty())) {
      throw new IllegalArgumentException(
          "--tensor: the input is .npy, which holds one array without a name; leave it out");
    }
    return requireRows(source);
  }

  /** The one message about input without rows, for every command. */
  static ActivationSource requireRows(ActivationSource source) {
    if (source.rows() == 0) {
      throw new IllegalArgumentException(
          "the input has no rows: %s has shape %s"
              .formatted(source.shards().get(0).file().name(), source.shards().get(0).shape()));
    }
    return source;
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
