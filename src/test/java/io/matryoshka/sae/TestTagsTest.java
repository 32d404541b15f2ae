package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table of tags and switches of CONTRIBUTING.md holds all that the tests have. */
class TestTagsTest {

  private static final Path TABLE = Path.of(".github", "CONTRIBUTING.md");
  private static final Path TESTS = Path.of("src", "test", "java");

  @Test
  void tags_areThoseOfTheTableAndEachHasAProfile() throws IOException {
    Set<String> used = found("@Tag\\(\"([\\w-]+)\"\\)", sources());
    Set<String> profiles = found("<groups>([\\w-]+)</groups>", List.of(Path.of("pom.xml")));

    assertThat(used).isNotEmpty().isEqualTo(profiles);
    assertThat(found("(?m)^\\| `-P([\\w-]+)`", List.of(TABLE))).isEqualTo(used);
  }

  @Test
  void switches_areThoseOfTheTable() throws IOException {
    Set<String> used = found("(?:getBoolean|getInteger)\\(\\s*\"([\\w.]+)\"", sources());
    used.addAll(found("getProperty\\(\"((?!java\\.|surefire\\.|engine\")[\\w.]+)\"", sources()));

    assertThat(found("(?m)^\\| `-D([\\w.]+)=", List.of(TABLE))).isEqualTo(used);
  }

  private static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.walk(TESTS)) {
      return files.filter(f -> f.toString().endsWith(".java")).toList();
    }
  }

  private static Set<String> found(String pattern, Collection<Path> files) throws IOException {
    Pattern compiled = Pattern.compile(pattern);
    Set<String> found = new TreeSet<>();
    for (Path file : files) {
      found.addAll(
          compiled
              .matcher(Files.readString(file))
              .results()
              .map(r -> r.group(1))
              .collect(Collectors.toSet()));
    }
    return found;
  }
}
