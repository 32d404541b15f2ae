package io.matryoshka.sae.internal.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UserPathsTest {

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "~, /home/me",
    "~/m, /home/me/m",
    "$DATA/hub, /data/hub",
    "${DATA}/hub, /data/hub",
    "~/$SUB, /home/me/sub",
    "/a~b/$UNSET, /a~b/$UNSET",
    "/plain, /plain"
  })
  void expand_asPythonDoes(String value, String expected) {
    UserPaths paths = new UserPaths(Map.of("HOME", "/home/me", "DATA", "/data", "SUB", "sub"));
    assertThat(paths.expand("HF_HOME", value)).isEqualTo(Path.of(expected).toAbsolutePath());
  }

  @Test
  void expand_user_isTheHomeOfTheSystemsTable() throws IOException {
    Path users = Path.of("/etc/passwd");
    assumeThat(Files.isReadable(users)).as("a table of users").isTrue();
    List<String> lines = Files.readAllLines(users);
    String[] last = lines.get(lines.size() - 1).split(":");
    assertThat(new UserPaths(Map.of("HOME", "/elsewhere")).expand("HF_HOME", "~" + last[0] + "/z"))
        .isEqualTo(Path.of(last[5]).toAbsolutePath().resolve("z"));
  }

  @Test
  void expand_unknownUser_namesTheVariableAndItsValue() {
    assertThatThrownBy(() -> new UserPaths(Map.of()).expand("HF_HOME", "~nobody-here/z"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("HF_HOME=~nobody-here/z")
        .hasMessageContaining("write the path in full");
  }

  @Test
  void cacheFolder_named_isExpandedAndNotMade() {
    Path root =
        CacheFolder.root("", Map.of("HOME", folder.toString(), "MATRYOSHKA_SAE_CACHE", "~/m"));
    assertThat(root).isEqualTo(folder.resolve("m")).doesNotExist();
  }

  @Test
  void cacheFolder_home_holdsIt() {
    assertThat(CacheFolder.root("", Map.of("HOME", folder.toString())))
        .isEqualTo(folder.resolve(".cache").resolve("matryoshka-sae"))
        .isDirectory();
  }

  /** A file cannot hold a folder, also for the superuser. */
  @Test
  void cacheFolder_homeThatCannotHoldOne_isTemporary() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    Path root = CacheFolder.root("", Map.of("HOME", file.toString()));
    assertThat(root).isDirectory();
    assertThat(root.toString()).startsWith(System.getProperty("java.io.tmpdir"));
  }
}
