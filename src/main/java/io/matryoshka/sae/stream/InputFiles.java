package io.matryoshka.sae.stream;

import io.matryoshka.sae.internal.filetype.FileType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** Tells the two formats of arrays that are read apart, by content before name. */
final class InputFiles {

  private InputFiles() {}

  /**
   * Tells whether a file is read as {@code .npy} rather than as {@code .safetensors}.
   *
   * @throws ActivationException if it is a file of another known type
   */
  static boolean isNpy(Path file) throws IOException {
    FileType type = FileType.of(file);
    return switch (type) {
      case NPY -> true;
      case SAFETENSORS -> false;
      case UNKNOWN -> isNpyByName(file);
      default ->
          throw new ActivationException(
              "%s: %s; .safetensors and .npy files are read"
                  .formatted(file, type.problem().orElseThrow()));
    };
  }

  private static boolean isNpyByName(Path file) throws ActivationException {
    if (!hasArrayName(file)) {
      throw new ActivationException(
          ("%s: is neither a .npy nor a .safetensors file by its first bytes; numbers without a"
                  + " header, as np.memmap and tofile write them, get one from np.save(path, array)")
              .formatted(file));
    }
    return hasNpyName(file);
  }

  static boolean hasNpyName(Path file) {
    return lower(file).endsWith(".npy");
  }

  static boolean hasArrayName(Path file) {
    return hasNpyName(file) || lower(file).endsWith(".safetensors");
  }

  private static String lower(Path file) {
    return file.getFileName().toString().toLowerCase(Locale.ROOT);
  }
}
