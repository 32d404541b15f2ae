package io.matryoshka.sae.internal.io;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.ChildJvm;
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

class TemporaryFolderTest {

  @TempDir Path folder;

  private List<Path> folders() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  private ChildJvm start() throws IOException {
    return ChildJvm.start(
        List.of(),
        List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.io.tmpdir=" + folder),
        TemporaryFolderMain.class);
  }

  /** As if the folder had been made a while ago. */
  private static void age(Path made) throws IOException {
    FileTime before = FileTime.from(Instant.now().minus(Duration.ofMinutes(1)));
    Files.setLastModifiedTime(made.resolve(".matryoshka.lock"), before);
  }

  @Test
  void folder_ownerAlive_isKept_andIsDeletedByTheNextRunOnceItIsKilled() throws Exception {
    Path left;
    try (ChildJvm child = start()) {
      child.awaitLine("READY");
      left = folders().get(0);
      age(left);
      TemporaryFolder.removeAbandoned(folder);
      assertThat(left.resolve("file")).exists();
      child.kill();
    }
    assertThat(left).exists();
    Path other = Files.createDirectory(folder.resolve("matryoshka-sae-of-the-user"));
    try (ChildJvm next = start()) {
      next.awaitLine("READY");
      assertThat(left).doesNotExist();
      assertThat(folders()).hasSize(2).contains(other);
    }
  }

  @Test
  void folder_closed_isGone_andAnOpenOneOfThisProgramIsKept() throws IOException {
    try (TemporaryFolder open = TemporaryFolder.create("open")) {
      TemporaryFolder closed = TemporaryFolder.create("closed");
      Files.writeString(closed.path().resolve("file"), "text");
      closed.close();
      closed.close();
      assertThat(closed.path()).doesNotExist();
      age(open.path());
      TemporaryFolder.removeAbandoned(open.path().getParent());
      assertThat(open.path()).exists();
    }
  }
}
