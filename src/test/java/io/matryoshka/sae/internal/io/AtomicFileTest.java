package io.matryoshka.sae.internal.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {

  @TempDir Path folder;

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static void append(AtomicFile file, String text) throws IOException {
    file.channel().write(ByteBuffer.wrap(text.getBytes()));
  }

  @Test
  void commit_whileWriting_replacesTheTargetAtTheEndOnly() throws IOException {
    Path target = Files.writeString(folder.resolve("a.txt"), "old");
    try (AtomicFile file = AtomicFile.create(target)) {
      append(file, "new");
      assertThat(target).hasContent("old");
      file.commit();
      assertThat(target).hasContent("new");
    }
    assertThat(target).hasContent("new");
    assertThat(names()).containsExactly("a.txt");
  }

  @Test
  void close_withoutCommit_leavesTheTargetAndNothingElse() throws IOException {
    Path target = Files.writeString(folder.resolve("a.txt"), "old");
    try (AtomicFile file = AtomicFile.create(target)) {
      append(file, "half");
    }
    assertThat(target).hasContent("old");
    assertThat(names()).containsExactly("a.txt");
  }

  @Test
  void create_withAnotherFolder_keepsItsTemporaryFileThere() throws IOException {
    Path refs = Files.createDirectories(folder.resolve("refs"));
    try (AtomicFile file = AtomicFile.create(refs.resolve("main"), folder)) {
      append(file, "commit");
      assertThat(refs).isEmptyDirectory();
      file.commit();
    }
    assertThat(refs.resolve("main")).hasContent("commit");
    assertThat(names()).containsExactly("refs");
  }

  @Test
  void create_targetIsAFolder_isRefused() {
    assertThatThrownBy(() -> AtomicFile.create(folder))
        .isInstanceOf(FileAlreadyExistsException.class)
        .hasMessageContaining("is a folder");
  }

  @Test
  void write_relativePath_isWrittenThere() throws IOException {
    Path relative = Path.of("").toAbsolutePath().relativize(folder.resolve("b.txt"));
    AtomicFile.write(relative, "text");
    assertThat(folder.resolve("b.txt")).hasContent("text");
  }

  @Test
  void write_toADevice_writesIntoIt() throws IOException {
    Path device = Path.of("/dev/null");
    assumeTrue(Files.exists(device));
    AtomicFile.write(device, "text");
    assertThat(Files.isRegularFile(device)).isFalse();
    assertThat(device).exists();
  }

  @Test
  void requireWritable_goodTarget_changesNothing() throws IOException {
    Path target = Files.writeString(folder.resolve("a.txt"), "old");
    AtomicFile.requireWritable(target);
    AtomicFile.requireWritable(folder.resolve("new.txt"));
    assertThat(target).hasContent("old");
    assertThat(names()).containsExactly("a.txt");
  }

  @Test
  void requireWritable_noFolder_namesTheFile() {
    Path target = folder.resolve("no").resolve("such").resolve("r.html");
    assertThatThrownBy(() -> AtomicFile.requireWritable(target))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("r.html")
        .hasMessageContaining("does not exist");
  }

  @Test
  void requireWritable_folderIsAFile_namesBoth() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    assertThatThrownBy(() -> AtomicFile.requireWritable(file.resolve("r.html")))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("r.html");
  }

  @Test
  void requireWritable_targetIsAFolder_isRefused() {
    assertThatThrownBy(() -> AtomicFile.requireWritable(folder))
        .isInstanceOf(FileAlreadyExistsException.class);
  }

  @Test
  void write_fullDisk_namesTheFile() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full));
    assertThatThrownBy(() -> AtomicFile.write(full, "text"))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("/dev/full: No space left on device");
  }
}
