package io.matryoshka.sae.stream;

import io.matryoshka.sae.store.StoredFile;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds files of activations by what a user writes: files, folders and patterns. */
public final class ActivationFiles {

  private static final Logger LOG = LoggerFactory.getLogger(ActivationFiles.class);

  private static final String PATTERN_CHARACTERS = "*?[{";

  private static final Comparator<Path> BY_NAME =
      Comparator.comparing(path -> path.getFileName().toString(), NaturalOrder.INSTANCE);

  private static final Comparator<StoredFile> BY_STORED_NAME =
      Comparator.comparing(StoredFile::fileName, NaturalOrder.INSTANCE);

  private ActivationFiles() {}

  /**
   * Expands inputs to files. A folder stands for the {@code .safetensors} and {@code .npy} files
   * right in it, hidden ones left out; other data in it is named in a warning. A pattern such as
   * {@code acts/part-*.npy} for the files of one folder that match its last part. The files of a
   * folder or pattern come in natural order: {@code part-2} before {@code part-10}.
   *
   * @param inputs files, folders and patterns, in the order in which their rows are to be read
   * @return the files
   * @throws NoSuchFileException if an input names nothing
   * @throws ActivationException if a folder holds no such files, or a file is named twice
   * @throws IOException if a folder cannot be read
   */
  public static List<Path> find(List<String> inputs) throws IOException {
    List<Path> files = new ArrayList<>();
    for (String input : inputs) {
      files.addAll(expand(input));
    }
    requireDistinct(files);
    return List.copyOf(files);
  }

  /**
   * Chooses the files that a folder of another store stands for, by the rules of {@link #find}:
   * those named {@code .safetensors} or {@code .npy}, hidden ones left out, in natural order.
   *
   * @param folder the files right in a folder, in any order
   * @return those that hold activations; empty if none does
   */
  public static List<StoredFile> inFolder(Collection<? extends StoredFile> folder) {
    return folder.stream()
        .filter(
            file -> !file.fileName().startsWith(".") && InputFiles.hasArrayName(file.fileName()))
        .<StoredFile>map(file -> file)
        .sorted(BY_STORED_NAME)
        .toList();
  }

  /** Replaces folders by their files and refuses a file that comes twice. */
  static List<Path> expandFolders(List<Path> inputs) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path input : inputs) {
      files.addAll(Files.isDirectory(input) ? inFolder(input) : List.of(existing(input)));
    }
    requireDistinct(files);
    return List.copyOf(files);
  }

  private static List<Path> expand(String input) throws IOException {
    if (isPattern(input) && !exists(input)) {
      return matching(input);
    }
    return expandFolders(List.of(Path.of(input)));
  }

  private static boolean exists(String input) {
    try {
      return Files.exists(Path.of(input));
    } catch (InvalidPathException e) {
      return false; // Windows has no * and ? in names.
    }
  }

  private static boolean isPattern(String input) {
    return input.chars().anyMatch(c -> PATTERN_CHARACTERS.indexOf(c) >= 0);
  }

  private static List<Path> matching(String pattern) throws IOException {
    int cut = Math.max(pattern.lastIndexOf('/'), pattern.lastIndexOf(File.separatorChar)) + 1;
    String parent = pattern.substring(0, cut);
    if (isPattern(parent)) {
      throw new ActivationException(
          pattern + ": only the last part of a pattern may hold * ? [ or {; name the folders");
    }
    PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern.substring(cut));
    Path folder = Path.of(parent);
    if (!Files.isDirectory(folder)) {
      throw new NoSuchFileException(folder.toString(), null, "no such folder");
    }
    List<Path> files = list(folder, name -> matcher.matches(name) && !isHidden(name));
    if (files.isEmpty()) {
      throw new NoSuchFileException(pattern, null, "no file matches the pattern");
    }
    return files;
  }

  private static List<Path> inFolder(Path folder) throws IOException {
    List<Path> files =
        list(folder, name -> !isHidden(name) && InputFiles.hasArrayName(name.toString()));
    List<String> leftOut = LeftOut.in(folder);
    if (files.isEmpty()) {
      throw new ActivationException(
          "%s: the folder holds no .safetensors and no .npy file (folders in it are not read)%s"
              .formatted(folder, leftOut.isEmpty() ? "" : "; " + String.join("; ", leftOut)));
    }
    leftOut.forEach(what -> LOG.warn("left out: {}", what));
    return files;
  }

  private static List<Path> list(Path folder, Predicate<Path> accepted) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(path -> accepted.test(path.getFileName()) && Files.isRegularFile(path))
          .sorted(BY_NAME)
          .toList();
    }
  }

  private static Path existing(Path file) throws NoSuchFileException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString(), null, "no such file or folder");
    }
    return file;
  }

  private static boolean isHidden(Path name) {
    return name.toString().startsWith(".");
  }

  private static void requireDistinct(List<Path> files) throws IOException {
    Set<Path> seen = new LinkedHashSet<>();
    for (Path file : files) {
      if (!seen.add(file.toRealPath())) {
        throw new ActivationException(
            file + ": the file is named twice among the inputs; name each file once");
      }
    }
  }
}
