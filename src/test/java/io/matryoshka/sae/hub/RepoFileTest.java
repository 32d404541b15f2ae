package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RepoFileTest {

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "owner/name", "o_1/n.a-m"})
  void new_goodRepoId_isTaken(String repoId) {
    assertThat(RepoFile.of(repoId, "f")).hasToString(repoId + "@main: f");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "/", "a/", "/a", "a/b/c", "a--b", "a..b", "a.git", "-a", "a-", ".a", "a b"})
  void new_badRepoId_isRefused(String repoId) {
    assertThatThrownBy(() -> RepoFile.of(repoId, "f"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("repoId: expected")
        .hasMessageEndingWith("got '" + repoId + "'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "..",
        "../f",
        "a/../f",
        "a\\..\\f",
        "/f",
        "\\\\server\\f",
        "C:f",
        "C:\\f",
        "a//f",
        "a\nf"
      })
  void new_pathOutsideTheRepository_isRefused(String path) {
    assertThatThrownBy(() -> RepoFile.of("owner/name", path))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("filename: expected a relative path");
    assertThatThrownBy(() -> new RepoFile("owner/name", path, "f"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("revision: expected a relative path");
  }
}
