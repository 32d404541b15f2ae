package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.matryoshka.sae.support.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Results on a small file system, which a child JVM sees in a mount namespace of its own. Skipped
 * where the system does not let this user make one.
 */
class FullDiskTest {

  private static final String SMALL_DISK = "mount -t tmpfs -o size=64k none \"$0\"";

  @TempDir private Path disk;

  private List<String> mounted(String... command) {
    List<String> words =
        new ArrayList<>(
            List.of("unshare", "-rm", "sh", "-c", SMALL_DISK + " && exec \"$@\"", disk.toString()));
    words.addAll(List.of(command));
    return words;
  }

  /** DJL itself says no more than that it failed to extract its library. */
  @Test
  void folderOfDjl_thatCannotBeWritten_isNamedWithWhatToSet() throws Exception {
    Path file = Files.createFile(disk.resolve("file"));
    List<String> options = List.of("-DDJL_CACHE_DIR=" + file.resolve("djl"));
    try (ChildJvm child =
        ChildJvm.start(
            List.of(),
            options,
            Main.class,
            "encode",
            Samples.RELEASE,
            "--engine",
            "reference",
            "-i",
            Samples.ACTIVATIONS,
            "-o",
            disk.resolve("x.safetensors"))) {
      assertThat(child.finish())
          .anySatisfy(
              line ->
                  assertThat(line).contains(file.resolve("djl").toString(), "set DJL_CACHE_DIR"));
    }
  }

  /** DJL reads the arithmetic of a model from a temporary file. */
  @Test
  void temporaryFolder_thatCannotBeWritten_isNamedWithWhatToSet() throws Exception {
    Path none = disk.resolve("none");
    try (ChildJvm child =
        ChildJvm.start(
            List.of(),
            List.of("-Djava.io.tmpdir=" + none),
            Main.class,
            "loss",
            "bookworm-3m-res-matryoshka-demo",
            "--text",
            "hi",
            "-q")) {
      assertThat(child.finish())
          .anySatisfy(
              line ->
                  assertThat(line)
                      .startsWith("matryoshka-sae loss: " + none + ": ")
                      .contains("set java.io.tmpdir"));
    }
  }

  @Test
  void resultThatDoesNotFit_isNamed_andNothingOfItIsLeft() throws Exception {
    int status;
    try {
      status = new ProcessBuilder(mounted("true")).start().waitFor();
    } catch (IOException e) {
      status = -1; // There is no such command.
    }
    assumeThat(status).as("status of a mount in a namespace of its own").isZero();
    try (ChildJvm child = ChildJvm.start(mounted(), List.of(), FullDiskMain.class, disk)) {
      List<String> lines = child.finish();
      List<String> said =
          lines.stream().filter(line -> line.matches("(CODE|ERR|LEFT) .*")).toList();
      assertThat(said).as(lines.toString()).hasSize(9);
      for (int i = 0; i < 3; i++) {
        assertThat(said.get(3 * i)).isEqualTo("CODE 7");
        assertThat(said.get(3 * i + 1))
            .contains(
                disk.toString(), "No space left on device", "nothing of this file was written")
            .doesNotContain("matryoshka.tmp");
      }
      assertThat(said.get(1)).contains(disk.resolve("latents.safetensors") + ": ");
      assertThat(said.get(1)).doesNotContain("resume", "are kept");
      assertThat(said.get(2)).isEqualTo("LEFT []");
      assertThat(said.get(4)).contains(disk.resolve("folder").toString());
      assertThat(said.get(5)).doesNotContain(".safetensors", ".tmp");
      assertThat(said.get(7)).contains(disk.resolve("report.html") + ": ");
      assertThat(said.get(8)).isEqualTo(said.get(5));
    }
  }
}
