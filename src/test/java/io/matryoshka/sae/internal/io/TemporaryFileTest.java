package io.matryoshka.sae.internal.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.matryoshka.sae.support.ChildJvm;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TemporaryFileTest {

  @TempDir Path folder;

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  private Path leftBehind(String name, int bytes, Duration age) throws IOException {
    Path file = Files.write(folder.resolve(name), new byte[bytes]);
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(age)));
    return file;
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void file_programStopped_isDeleted(String signal) throws Exception {
    assumeThat(File.separatorChar).as("signals of POSIX systems").isEqualTo('/');
    try (ChildJvm child = ChildJvm.start(TemporaryFileMain.class, folder)) {
      child.awaitLine("READY");
      assertThat(files()).hasSize(2);
      new ProcessBuilder("kill", "-" + signal, Long.toString(child.pid())).start().waitFor();
      child.finish();
    }
    assertThat(files()).isEmpty();
  }

  @Test
  void removeAbandoned_writerAlive_keepsItsFile_andDeletesItOnceItIsKilled() throws Exception {
    try (ChildJvm child = ChildJvm.start(TemporaryFileMain.class, folder)) {
      child.awaitLine("READY");
      TemporaryFile.removeAbandoned(folder);
      assertThat(files()).hasSize(2);
      child.kill();
    }
    TemporaryFile.removeAbandoned(folder);
    assertThat(files()).containsExactly(folder.resolve("unfinished"));
  }

  @Test
  void create_nextRunInAFolder_removesWhatWasLeftAndNothingElse() throws IOException {
    Path left = leftBehind(".x.npy.00000000000000aa.matryoshka.tmp", 100, Duration.ZERO);
    Path empty = leftBehind(".x.npy.00000000000000ab.matryoshka.tmp", 0, Duration.ofMinutes(2));
    Path young = leftBehind(".x.npy.00000000000000ac.matryoshka.tmp", 0, Duration.ofMinutes(-2));
    Path other = leftBehind(".x.npy.00000000000000ad.tmp", 1, Duration.ofDays(9));
    try (TemporaryFile file = TemporaryFile.create(folder, "y.npy")) {
      assertThat(file.path().getFileName().toString())
          .matches("\\.y\\.npy\\.[0-9a-f]{16}\\.matryoshka\\.tmp");
      assertThat(left).doesNotExist();
      assertThat(empty).doesNotExist();
      assertThat(young).as("its writer may be about to lock it").exists();
      assertThat(other).as("of another program").exists();
      TemporaryFile.removeAbandoned(folder);
      assertThat(file.path()).as("in use").exists();
    }
    assertThat(files()).containsExactlyInAnyOrder(young, other);
  }
}
