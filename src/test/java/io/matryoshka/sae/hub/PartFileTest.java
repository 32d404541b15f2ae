package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartFileTest {
  @TempDir Path folder;

  private Path blob() {
    return folder.resolve("blob");
  }

  private Path note() {
    return folder.resolve("blob.matryoshka.incomplete.prefix.tmp");
  }

  private void leave(int bytes, long... prefixes) throws IOException {
    try (PartFile part = PartFile.open(blob(), true)) {
      part.write(List.of(ByteBuffer.allocate(bytes)), 0);
      for (long prefix : prefixes) {
        part.notePrefix(prefix);
        // A note that is never shorter is never found cut, whenever the process dies.
        assertThat(note()).hasSize(20);
      }
    }
  }

  private long resume() throws IOException {
    try (PartFile part = PartFile.open(blob(), true)) {
      return part.resume();
    }
  }

  @Test
  void resume_writtenInOrder_goesOnAtTheEnd() throws IOException {
    leave(1000);

    assertThat(resume()).isEqualTo(1000);
  }

  @Test
  void resume_writtenOutOfOrder_goesOnAtTheLastNote() throws IOException {
    leave(1000, 70, 640);

    assertThat(resume()).isEqualTo(640);
    assertThat(note()).doesNotExist();
    assertThat(resume()).isEqualTo(640);
  }

  @Test
  void resume_noteJustMade_startsOver() throws IOException {
    leave(1000);
    Files.createFile(note());

    assertThat(resume()).isZero();
  }

  @Test
  void close_notResumable_leavesNothing() throws IOException {
    try (PartFile part = PartFile.open(blob(), false)) {
      part.write(List.of(ByteBuffer.allocate(10)), 0);
    }

    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void moveTo_complete_isTheBlobAlone() throws IOException {
    try (PartFile part = PartFile.open(blob(), true)) {
      part.write(List.of(ByteBuffer.allocate(10)), 0);
      part.notePrefix(10);
      part.moveTo(blob());
    }

    assertThat(folder.toFile().list()).containsExactly("blob");
    assertThat(blob()).hasSize(10);
  }

  @Test
  void moveTo_deletedMeanwhile_keepsItsBytes() throws IOException {
    byte[] content = HubClientTest.randomBytes(100_000);
    try (PartFile part = PartFile.open(blob(), true)) {
      part.write(List.of(ByteBuffer.wrap(content, 0, 60_000)), 0);
      Files.delete(part.path());
      part.write(List.of(ByteBuffer.wrap(content, 60_000, 40_000)), 60_000);
      part.moveTo(blob());
    }

    assertThat(folder.toFile().list()).containsExactly("blob");
    assertThat(blob()).hasBinaryContent(content);
  }

  @Test
  void moveTo_replacedByAnotherProgram_movesItsOwnBytes() throws IOException {
    byte[] content = HubClientTest.randomBytes(1000);
    try (PartFile part = PartFile.open(blob(), true)) {
      part.write(List.of(ByteBuffer.wrap(content)), 0);
      Files.delete(part.path());
      Files.writeString(part.path(), "another");
      part.moveTo(blob());
    }

    assertThat(blob()).hasBinaryContent(content);
  }
}
