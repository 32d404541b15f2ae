package io.matryoshka.sae.internal.serve.page;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The files of the page, as they lie in the jar. */
class ShippedFilesTest {

  private static final Path PAGE =
      SourceFiles.PROJECT.resolve("src/main/resources/io/matryoshka/sae/internal/serve/page");

  private static final Pattern PRELOAD = Pattern.compile("modulepreload\" href=\"([^\"]+)\"");

  /** What turns text into markup or code. */
  private static final Pattern UNSAFE =
      Pattern.compile(
          "innerHTML|outerHTML|insertAdjacentHTML|document\\.write|\\beval\\b|new Function");

  private static List<Path> scripts(String folder) throws IOException {
    try (Stream<Path> files = Files.list(PAGE.resolve(folder))) {
      return files.filter(file -> file.toString().endsWith(".js")).sorted().toList();
    }
  }

  @Test
  void modules_areAllLoadedAtOnce() throws IOException {
    List<String> wanted = new ArrayList<>();
    for (String folder : List.of("assets", "js")) {
      scripts(folder).forEach(file -> wanted.add(folder + "/" + file.getFileName()));
    }
    wanted.remove("js/main.js");

    List<String> loaded =
        PRELOAD
            .matcher(Files.readString(PAGE.resolve("index.html")))
            .results()
            .map(found -> found.group(1))
            .toList();

    assertThat(loaded).containsExactlyElementsOf(wanted);
  }

  @Test
  void libraries_areTheOnesThatTheDocumentNames() throws Exception {
    String document = Files.readString(SourceFiles.PROJECT.resolve("docs/dependencies.md"));
    List<Path> libraries = scripts("assets");

    assertThat(libraries).hasSize(3);
    for (Path library : libraries) {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(library));
      assertThat(document).contains(HexFormat.of().formatHex(hash) + "  " + library.getFileName());
    }
  }

  @Test
  void modules_neverTurnTextIntoMarkupOrCode() throws IOException {
    for (Path script : scripts("js")) {
      assertThat(Files.readString(script)).as(script.toString()).doesNotContainPattern(UNSAFE);
    }
  }
}
