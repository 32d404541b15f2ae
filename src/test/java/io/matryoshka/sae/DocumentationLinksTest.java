package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Links and names in the project's documents lead somewhere. */
class DocumentationLinksTest {

  private static final Pattern FENCED = Pattern.compile("^```[\\s\\S]*?^```", Pattern.MULTILINE);
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern LISTED = Pattern.compile("(?m)^- \\[([^\\]]+)\\]");
  private static final Pattern HEADING = Pattern.compile("^#+ +(.+)$", Pattern.MULTILINE);
  private static final Pattern TEST_NAME = Pattern.compile("`([A-Z]\\w*Test)(?:[.#]([a-z]\\w*))?`");

  @TestFactory
  Stream<DynamicTest> links_leadToFilesAndHeadings() throws IOException {
    return eachDocument(
        (document, text) -> {
          List<String> broken = new ArrayList<>();
          for (String link : matches(LINK, text)) {
            if (!link.matches("[a-z]+:.*") && !exists(document, link)) {
              broken.add(link);
            }
          }
          assertThat(broken).as("links of %s that lead nowhere", document).isEmpty();
        });
  }

  @Test
  void readme_listsEveryPageOnce() throws IOException {
    String readme = Files.readString(SourceFiles.PROJECT.resolve("README.md"));
    List<String> listed =
        matches(LISTED, readme.substring(readme.indexOf("\n## Documents\n"))).stream()
            .sorted()
            .toList();
    List<Path> pages = SourceFiles.list(SourceFiles.PROJECT.resolve("docs"), ".md");

    assertThat(listed)
        .filteredOn(page -> page.startsWith("docs/"))
        .containsExactlyElementsOf(
            pages.stream().map(page -> "docs/" + page.getFileName()).sorted().toList());
  }

  @TestFactory
  Stream<DynamicTest> testNames_areTests() throws IOException {
    List<Path> tests = SourceFiles.list(SourceFiles.PROJECT.resolve("src/test/java"), ".java");
    return eachDocument(
        (document, text) -> {
          List<String> unknown = new ArrayList<>();
          var names = TEST_NAME.matcher(text);
          while (names.find()) {
            Path source = find(tests, names.group(1) + ".java");
            String method = names.group(2);
            if (source == null
                || (method != null && !Files.readString(source).contains(" " + method + "("))) {
              unknown.add(names.group());
            }
          }
          assertThat(unknown).as("tests that %s names", document).isEmpty();
        });
  }

  private interface Check {
    void on(Path document, String text) throws IOException;
  }

  private static Stream<DynamicTest> eachDocument(Check check) throws IOException {
    List<Path> documents = new ArrayList<>();
    try (Stream<Path> top = Files.list(SourceFiles.PROJECT)) {
      top.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
    }
    documents.addAll(SourceFiles.list(SourceFiles.PROJECT.resolve(".github"), ".md"));
    documents.addAll(SourceFiles.list(SourceFiles.PROJECT.resolve("docs"), ".md"));
    documents.addAll(SourceFiles.list(SourceFiles.PROJECT.resolve("releases"), ".md"));
    assertThat(documents).isNotEmpty();
    return documents.stream()
        .map(
            document ->
                DynamicTest.dynamicTest(
                    SourceFiles.PROJECT.relativize(document).toString(),
                    () ->
                        check.on(
                            document, FENCED.matcher(Files.readString(document)).replaceAll(""))));
  }

  private static boolean exists(Path document, String link) throws IOException {
    String[] parts = link.split("#", 2);
    Path target = parts[0].isEmpty() ? document : document.resolveSibling(parts[0]).normalize();
    if (!target.startsWith(SourceFiles.PROJECT) || !Files.exists(target)) {
      return false;
    }
    return parts.length == 1 || anchors(target).contains(parts[1]);
  }

  /** Anchors as GitHub makes them of headings. */
  private static Set<String> anchors(Path document) throws IOException {
    String text = FENCED.matcher(Files.readString(document)).replaceAll("");
    return matches(HEADING, text).stream()
        .map(
            heading ->
                heading
                    .toLowerCase(Locale.ROOT)
                    .replaceAll("[^\\p{L}\\p{N} _-]", "")
                    .replace(' ', '-'))
        .collect(Collectors.toSet());
  }

  private static List<String> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(match -> match.group(1)).toList();
  }

  private static Path find(List<Path> files, String name) {
    return files.stream()
        .filter(file -> file.getFileName().toString().equals(name))
        .findFirst()
        .orElse(null);
  }
}
