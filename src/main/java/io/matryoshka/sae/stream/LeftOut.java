package io.matryoshka.sae.stream;

import io.matryoshka.sae.internal.filetype.FileType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a folder of activations holds beside the files that are read, so that none is lost unsaid.
 */
final class LeftOut {

  /** Named one by one; of more, the number. */
  private static final int MAX_NAMED = 5;

  /** Names under which people keep numbers in forms that have no signature. */
  private static final Pattern DATA_NAME =
      Pattern.compile(
          ".*\\.(bin|dat|raw|mmap|memmap|csv|tsv|pt|pth|npz|h5|hdf5|pkl|pickle|arrow|parquet)",
          Pattern.CASE_INSENSITIVE);

  private LeftOut() {}

  /** Describes data files of other types, and folders with arrays in them; empty without any. */
  static List<String> in(Path folder) throws IOException {
    List<String> found = new ArrayList<>();
    int more = 0;
    for (Path path : visible(folder)) {
      String what = Files.isDirectory(path) ? folderProblem(path) : fileProblem(path);
      if (!what.isEmpty() && found.size() == MAX_NAMED) {
        more++;
      } else if (!what.isEmpty()) {
        found.add(path + " " + what);
      }
    }
    if (more > 0) {
      found.add("%d more such %s in %s".formatted(more, more == 1 ? "entry" : "entries", folder));
    }
    return found;
  }

  private static List<Path> visible(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(path -> !path.getFileName().toString().startsWith("."))
          .sorted(Comparator.comparing(p -> p.getFileName().toString(), NaturalOrder.INSTANCE))
          .toList();
    }
  }

  private static String fileProblem(Path file) throws IOException {
    if (InputFiles.hasArrayName(file.toString())
        || !Files.isRegularFile(file)
        || !Files.isReadable(file)) {
      return "";
    }
    FileType type = FileType.of(file);
    return switch (type) {
      case NPY -> "is a .npy file by its content; rename it to end in .npy";
      case SAFETENSORS -> "is a safetensors file by its content; rename it to end in .safetensors";
      case UNKNOWN ->
          DATA_NAME.matcher(file.getFileName().toString()).matches()
              ? "is neither a .npy nor a .safetensors file"
              : "";
      default -> type.isData() ? type.problem().orElseThrow() : "";
    };
  }

  private static String folderProblem(Path folder) throws IOException {
    if (!Files.isReadable(folder)) {
      return "";
    }
    boolean hasArrays =
        visible(folder).stream()
            .anyMatch(p -> Files.isRegularFile(p) && InputFiles.hasArrayName(p.toString()));
    if (folder.getFileName().toString().endsWith(".zarr")) {
      return "is a Zarr array; load it in Python and save it with np.save";
    }
    return hasArrays ? "is a folder in it with arrays; name it as an input of its own" : "";
  }
}
