package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ActivationFilesTest {

  @TempDir Path folder;

  @BeforeEach
  void makeFiles() throws IOException {
    for (String name :
        List.of("p-10.npy", "p-2.npy", "p-1.safetensors", "notes.txt", ".hidden.npy", "Q.NPY")) {
      Files.createFile(folder.resolve(name));
    }
    Files.createDirectories(folder.resolve("deeper.npy"));
  }

  private List<String> find(String... inputs) throws IOException {
    return ActivationFiles.find(List.of(inputs)).stream()
        .map(path -> folder.relativize(path).toString())
        .toList();
  }

  @Test
  void find_folder_givesItsActivationFilesInNaturalOrder() throws IOException {
    assertThat(find(folder.toString()))
        .containsExactly("Q.NPY", "p-1.safetensors", "p-2.npy", "p-10.npy");
  }

  @Test
  void find_pattern_givesWhatMatchesInNaturalOrder() throws IOException {
    assertThat(find(folder + "/p-*.npy")).containsExactly("p-2.npy", "p-10.npy");
    assertThat(find(folder + "/p-{1,2}.*")).containsExactly("p-1.safetensors", "p-2.npy");
    assertThat(find(folder + "/*.npy")).doesNotContain(".hidden.npy");
  }

  @Test
  void find_severalInputs_keepsTheirOrder() throws IOException {
    assertThat(find(folder.resolve("p-10.npy").toString(), folder + "/p-[0-9].*"))
        .containsExactly("p-10.npy", "p-1.safetensors", "p-2.npy");
  }

  @Test
  void find_fileWithPatternCharacters_isTakenAsAFile() throws IOException {
    Files.createFile(folder.resolve("a[1].npy"));
    assertThat(find(folder + "/a[1].npy")).containsExactly("a[1].npy");
  }

  @Test
  void find_nothing_namesTheInput() throws IOException {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    assertThatThrownBy(() -> find(folder + "/absent.npy"))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("absent.npy");
    assertThatThrownBy(() -> find(folder + "/r*.npy"))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("r*.npy");
    assertThatThrownBy(() -> find(folder + "/absent/r*.npy"))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("no such folder");
    assertThatThrownBy(() -> find(empty.toString()))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("empty", "holds no .safetensors and no .npy file");
    assertThatThrownBy(() -> find(folder + "/*/r.npy"))
        .isInstanceOf(ActivationException.class)
        .hasMessageContaining("only the last part");
  }

  @Test
  void find_sameFileTwice_isRefused() {
    assertThatThrownBy(() -> find(folder + "/p-2.npy", folder.toString()))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("p-2.npy", "named twice");
  }
}
