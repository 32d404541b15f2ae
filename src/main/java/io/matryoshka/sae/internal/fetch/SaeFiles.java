package io.matryoshka.sae.internal.fetch;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.internal.filetype.ForeignFormat;
import io.matryoshka.sae.internal.format.SaeFormat;
import io.matryoshka.sae.internal.format.SaePlace;
import io.matryoshka.sae.internal.io.FileBytes;
import io.matryoshka.sae.internal.weights.TensorFile;
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
 * @param weights the file with the tensors
 * @param sparsity {@value #SPARSITY}, if there is one
 * @param scaler {@value #SCALER}, if there is one
 * @param format the format of the files
 */
public record SaeFiles(
    SaeConfig config,
    SaeConfig stored,
    Path weights,
    Optional<Path> sparsity,
    Optional<Path> scaler,
    SaeFormat format) {

  /** The configuration in SAELens' format. */
  public static final String CONFIG = "cfg.json";

  /** The weights in SAELens' format. */
  public static final String WEIGHTS = "sae_weights.safetensors";

  /** How often each latent fires. */
  public static final String SPARSITY = "sparsity.safetensors";

  /** The factor on model activations that a checkpoint of a training keeps beside the weights. */
  public static final String SCALER = "activation_scaler.json";

  static final List<String> ALL = List.of(CONFIG, WEIGHTS, SPARSITY);

  /**
   * Opens the tensors under SAELens' names.
   *
   * @return the open file, to be closed by the caller
   * @throws IOException if the weights are malformed or cannot be read
   */
  public TensorFile open() throws IOException {
    return format.open(FileBytes.open(weights), stored);
  }

  /**
   * Finds the files of a folder, in any format that is read.
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
    SaeFormat format = format(directory);
    requireFile(directory.resolve(format.weightFile()), format);
    if (format.needsConfig()) {
      requireFile(directory.resolve(format.configFile()), format);
    }
    return in(directory, format, dtype);
  }

  /** The format of the weights that are there; without any, SAELens' is what is missing. */
  private static SaeFormat format(Path directory) throws IOException {
    Set<String> names;
    try (Stream<Path> files = Files.list(directory)) {
      names = files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    }
    Optional<SaeFormat> format = SaeFormat.of(names);
    Optional<ForeignFormat> foreign = ForeignFormat.ofFiles(names);
    if (format.isEmpty() && foreign.isPresent()) {
      throw new SaeFormatException(directory + ": " + foreign.get().message());
    }
    return format.orElse(SaeFormat.SAELENS);
  }

  private static void requireFile(Path file, SaeFormat format) throws NoSuchFileException {
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new NoSuchFileException(
          file.toString(),
          null,
          "an SAE folder holds %s and %s; this one is missing or not readable"
              .formatted(format.configFile(), format.weightFile()));
    }
  }

  private static SaeFiles in(Path directory, SaeFormat format, Optional<Dtype> dtype)
      throws IOException {
    Path weights = directory.resolve(format.weightFile());
    SaePlace place =
        new SaePlace(
            directory.toAbsolutePath().normalize().toString(),
            ifPresent(directory.resolve(format.configFile())),
            ifPresent(directory.resolve(SaePlace.RUNNER)),
            dtype);
    SaeConfig config = format.config(place, () -> format.openRaw(FileBytes.open(weights)));
    return new SaeFiles(
        config,
        config,
        weights,
        ifPresent(directory.resolve(SPARSITY)),
        ifPresent(directory.resolve(SCALER)),
        format);
  }

  private static Optional<Path> ifPresent(Path file) {
    return Optional.of(file).filter(Files::isRegularFile);
  }
}
