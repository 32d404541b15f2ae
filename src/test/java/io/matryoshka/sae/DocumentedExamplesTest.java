package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.CodeBlocks;
import io.matryoshka.sae.support.CodeBlocks.Block;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * docs/examples.md shows the examples of src/it, which the build runs, and what they print: each of
 * them, and nothing else.
 */
class DocumentedExamplesTest {

  private static final Path PROJECTS = SourceFiles.PROJECT.resolve("src/it");
  private static final Path DOCUMENT = SourceFiles.PROJECT.resolve("docs/examples.md");

  @Test
  void examples_areTheFilesOfTheConsumerProjects() throws IOException {
    Map<String, String> shown = new TreeMap<>();
    Map<String, String> files = new TreeMap<>();
    List<Block> blocks = CodeBlocks.of(DOCUMENT);
    for (Path file : sources()) {
      String name = file.getFileName().toString();
      files.put(name, withOutput(Files.readString(file), expectedOutput(file)));
      for (int i = 0; i < blocks.size(); i++) {
        if (blocks.get(i).text().equals(Files.readString(file))) {
          boolean output = i + 1 < blocks.size() && blocks.get(i + 1).isOutput();
          shown.put(name, withOutput(blocks.get(i).text(), output ? blocks.get(i + 1).text() : ""));
        }
      }
    }

    assertThat(shown).isEqualTo(files);
    assertThat(blocks.stream().filter(block -> !block.isOutput())).hasSameSizeAs(files.keySet());
  }

  /** The first example is in the README, which another test compares with its file. */
  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    for (String ending : List.of(".java", ".kt", ".jsh")) {
      sources.addAll(SourceFiles.list(PROJECTS, ending));
    }
    return sources.stream()
        .filter(file -> file.toString().replace('\\', '/').contains("/src/main/"))
        .filter(file -> !file.endsWith("FirstExample.java"))
        .toList();
  }

  private static String expectedOutput(Path source) throws IOException {
    String name = source.getFileName().toString().replaceFirst("\\.\\w+$", ".txt");
    Path project = PROJECTS.resolve(PROJECTS.relativize(source).getName(0));
    try (Stream<Path> files = Files.walk(project.resolve("expected"))) {
      return files.anyMatch(file -> file.endsWith(name))
          ? Files.readString(project.resolve("expected").resolve(name))
          : "";
    }
  }

  private static String withOutput(String source, String output) {
    return source + "--- prints\n" + output;
  }
}
