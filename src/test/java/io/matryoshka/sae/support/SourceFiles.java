package io.matryoshka.sae.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** The project's own files, as tests that read sources and documents see them. */
public final class SourceFiles {

  /** Maven runs tests in the project's folder. */
  public static final Path PROJECT = Path.of("").toAbsolutePath();

  private static final Path MAIN = PROJECT.resolve("src/main/java/io/matryoshka/sae");
  private static final Pattern NOT_CODE =
      Pattern.compile(
          "\"\"\"[\\s\\S]*?\"\"\"|\"(?:\\\\.|[^\"\\\\\n])*+\"|'(?:\\\\.|[^'\\\\])++'"
              + "|//[^\n]*|/\\*[\\s\\S]*?\\*/");

  private SourceFiles() {}

  /** Java files of the library, sorted. */
  public static List<Path> main() throws IOException {
    return list(MAIN, ".java");
  }

  /** README.md and the documents in docs/, sorted. */
  public static List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>(List.of(PROJECT.resolve("README.md")));
    documents.addAll(list(PROJECT.resolve("docs"), ".md"));
    return documents;
  }

  /** Files below a folder whose name ends so, sorted. */
  public static List<Path> list(Path folder, String ending) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }

  /** The package below the base package, such as {@code kernel.torch}, or {@code root}. */
  public static String packageOf(Path source) {
    Path folder = MAIN.relativize(source).getParent();
    return folder == null
        ? "root"
        : StreamSupport.stream(folder.spliterator(), false)
            .map(Path::toString)
            .collect(Collectors.joining("."));
  }

  /** The text of a Java file without comments, strings and characters. */
  public static String code(Path source) throws IOException {
    return NOT_CODE.matcher(Files.readString(source)).replaceAll(" ");
  }
}
