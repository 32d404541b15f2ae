package io.matryoshka.sae.eval;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Files of consecutive rows, of which those that nobody needs any more are deleted. */
final class ActivationFilesInUse {

  /** A file and the row after its last one, counted over all files ever. */
  private record Part(Path file, long end) {}

  private final Path folder;
  private final List<Part> parts = new ArrayList<>();
  private long first;
  private long end;
  private int count;

  ActivationFilesInUse(Path folder) {
    this.folder = folder;
  }

  /** Names the next file, before it is written. */
  Path next(long rows) {
    Path file = folder.resolve("activations-%05d.safetensors".formatted(count++));
    end += rows;
    parts.add(new Part(file, end));
    return file;
  }

  /** The files that are there, in the order of their rows. */
  List<Path> paths() {
    return parts.stream().map(Part::file).toList();
  }

  /** The first row that is there. */
  long first() {
    return first;
  }

  /** The row after the last one. */
  long end() {
    return end;
  }

  /** Deletes the files whose rows all lie before a row. */
  void deleteBefore(long row) throws IOException {
    while (!parts.isEmpty() && parts.get(0).end() <= row) {
      Part part = parts.remove(0);
      first = part.end();
      Files.delete(part.file());
    }
  }
}
