package io.matryoshka.sae.fetch;

import io.matryoshka.sae.config.ForeignFormat;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The files of one SAE on disk, not yet opened.
 *
 * @param config the configuration of the whole SAE
 * @param stored that of the weight file, which may hold only the first latents
 * @param weights {@value #WEIGHTS}
 * @param sparsity {@value #SPARSITY}, if there is one
 * @param scaler {@value #SCALER}, if there is one
 */
public record SaeFiles(
    SaeConfig config,
    SaeConfig stored,
    Path weights,
    Optional<Path> sparsity,
    Optional<Path> scaler) {

  /** The configuration. */
  public static final String CONFIG = "cfg.json";

  /** The weights. */
  public static final String WEIGHTS = "sae_weights.safetensors";

  /** How often each latent fires. */
  public static final String SPARSITY = "sparsity.safetensors";

  /** The factor on model activations that a checkpoint of a training keeps beside the weights. */
  public static final String SCALER = "activation_scaler.json";

  static final List<String> ALL = List.of(CONFIG, WEIGHTS, SPARSITY);

  /**
   * Finds the files of a folder.
   *
   * @param directory the folder
   * @param dtype the type of the tensors in place of what the configuration says
   * @return its files
   * @throws NoSuchFileException if the folder, its configuration or its weights are missing
   * @throws NotDirectoryException if it is no folder
   * @throws IOException if the configuration cannot be read or is malformed
   */
  public static SaeFiles in(Path directory, Optional<Dtype> dtype) throws IOException {
    if (!Files.exists(directory)) {
      throw new NoSuchFileException(
          directory.toString(), null, "expected a folder with " + CONFIG + " and " + WEIGHTS);
    }
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(
          directory + ": expected the folder that holds " + CONFIG + " and " + WEIGHTS);
    }
    for (String name : List.of(CONFIG, WEIGHTS)) {
      Path file = directory.resolve(name);
      if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
        requireNotForeign(directory);
        throw new NoSuchFileException(
            file.toString(),
            null,
            "an SAE folder holds %s and %s; this one is missing or not readable"
                .formatted(CONFIG, WEIGHTS));
      }
    }
    SaeConfig config = SaeConfig.read(directory.resolve(CONFIG), dtype);
    return new SaeFiles(
        config,
        config,
        directory.resolve(WEIGHTS),
        Optional.of(directory.resolve(SPARSITY)).filter(Files::isRegularFile),
        Optional.of(directory.resolve(SCALER)).filter(Files::isRegularFile));
  }

  private static void requireNotForeign(Path directory) throws IOException {
    Set<String> names;
    try (Stream<Path> files = Files.list(directory)) {
      names = files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    }
    Optional<ForeignFormat> foreign = ForeignFormat.ofFiles(names);
    if (foreign.isPresent()) {
      throw new SaeFormatException(directory + ": " + foreign.get().message());
    }
  }
}
