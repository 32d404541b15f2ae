package io.matryoshka.sae.internal.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Files that come through a pipe. Arrays are read by position and more than once, so what comes in
 * is kept in a temporary file until the program ends.
 */
final class StandardInput {

  /** How a command line names it. */
  static final String NAME = "-";

  private static final Set<String> COPIES = ConcurrentHashMap.newKeySet();

  private StandardInput() {}

  /** Puts words into a message in place of the name of a temporary file. */
  static String named(String message) {
    String named = message;
    for (String copy : COPIES) {
      named = named.replace(copy, "standard input");
    }
    return named;
  }

  /** Replaces {@code -} by the file that holds what came in. */
  static List<String> resolve(List<String> inputs) throws IOException {
    List<String> files = new ArrayList<>();
    for (String input : inputs) {
      files.add(input.equals(NAME) ? copy(System.in).toString() : input);
    }
    return files;
  }

  /** Replaces {@code -} by the file that holds what came in. */
  static Path resolve(Path input) throws IOException {
    return input.toString().equals(NAME) ? copy(System.in) : input;
  }

  private static Path copy(InputStream in) throws IOException {
    Path file = Files.createTempFile("matryoshka-sae-stdin-", ".tmp");
    file.toFile().deleteOnExit();
    COPIES.add(file.toString());
    if (Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING) == 0) {
      throw new IllegalArgumentException(
          "- stands for standard input, which is empty; pipe a .npy or .safetensors file into it");
    }
    return file;
  }
}
