package io.matryoshka.sae.stream;

import io.matryoshka.sae.internal.filetype.FileType;
import io.matryoshka.sae.store.ByteSource;
import java.io.IOException;
import java.util.Locale;

/** Tells the two formats of arrays that are read apart, by content before name. */
final class InputFiles {

  private InputFiles() {}

  /**
   * Tells whether a file is read as {@code .npy} rather than as {@code .safetensors}.
   *
   * @throws ActivationException if it is a file of another known type
   */
  static boolean isNpy(ByteSource file) throws IOException {
    FileType type = FileType.of(file);
    return switch (type) {
      case NPY -> true;
      case SAFETENSORS -> false;
      case UNKNOWN -> isNpyByName(file.name());
      default ->
          throw new ActivationException(
              "%s: %s; .safetensors and .npy files are read"
                  .formatted(file.name(), type.problem().orElseThrow()));
    };
  }

  private static boolean isNpyByName(String name) throws ActivationException {
    if (!hasArrayName(name)) {
      throw new ActivationException(
          ("%s: is neither a .npy nor a .safetensors file by its first bytes; numbers without a"
                  + " header, as np.memmap and tofile write them, get one from np.save(path, array)")
              .formatted(name));
    }
    return hasNpyName(name);
  }

  static boolean hasNpyName(String name) {
    return lower(name).endsWith(".npy");
  }

  static boolean hasArrayName(String name) {
    return hasNpyName(name) || lower(name).endsWith(".safetensors");
  }

  private static String lower(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
