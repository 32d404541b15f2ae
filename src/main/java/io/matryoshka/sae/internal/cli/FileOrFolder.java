package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.internal.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A result that is one {@code .safetensors} file or, under any other name, a folder of them. */
final class FileOrFolder {

  private static final Pattern OTHER_FILE =
      Pattern.compile(
          "(.+)\\.(npy|npz|pt|pth|bin|h5|hdf5|csv|tsv|json|jsonl|txt|parquet|arrow|pkl|gz|zip)");

  private FileOrFolder() {}

  static boolean isFile(Path target) {
    return target.toString().toLowerCase(Locale.ROOT).endsWith(".safetensors");
  }

  /**
   * A folder is made where it is missing; those above it are not, lest a typing error makes them.
   */
  static void requireFolderOf(Path target) throws IOException {
    Path parent = target.toAbsolutePath().normalize().getParent();
    if (parent != null && !Files.exists(parent)) {
      throw new NoSuchFileException(
          target.toString(), null, "the folder " + parent + " does not exist; make it first");
    }
  }

  /**
   * Checks the name and that it can be written, before the work. A name like {@code latents.npy} is
   * a mistake, not a folder to be made.
   *
   * @param what what goes there, in the plural
   */
  static void requireWritable(String what, Path target) throws IOException {
    Matcher ending = OTHER_FILE.matcher(target.getFileName().toString().toLowerCase(Locale.ROOT));
    if (ending.matches() && !Files.isDirectory(target)) {
      throw new IllegalArgumentException(
          "--output: %s go into a .safetensors file or a folder, got '%s'; name it %s"
              .formatted(what, target, ending.group(1) + ".safetensors"));
    }
    if (isFile(target)) {
      Output.requireWritable(target);
    } else {
      requireFolderOf(target);
      AtomicFile.requireWritableFolder(target);
    }
  }
}
