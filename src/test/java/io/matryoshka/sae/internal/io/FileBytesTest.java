package io.matryoshka.sae.internal.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileBytesTest {

  private static final byte[] CONTENT = new byte[100_000];

  @TempDir Path folder;
  private Path path;

  @BeforeEach
  void write() throws IOException {
    for (int i = 0; i < CONTENT.length; i++) {
      CONTENT[i] = (byte) (i * 31);
    }
    path = Files.write(folder.resolve("content"), CONTENT);
  }

  @AfterEach
  void clearInterrupt() {
    Thread.interrupted();
  }

  private static byte[] read(FileBytes file, long position, int count) throws IOException {
    ByteBuffer target = ByteBuffer.allocate(count);
    file.readFully(position, target);
    assertThat(target.hasRemaining()).isFalse();
    return target.array();
  }

  @Test
  void interruptedThread_readsAndStaysInterrupted_andOthersGoOn() throws IOException {
    try (FileBytes file = FileBytes.open(path)) {
      Thread.currentThread().interrupt();

      assertThat(read(file, 0, CONTENT.length)).isEqualTo(CONTENT);
      assertThat(file.map(7, 9).get(0)).isEqualTo(CONTENT[7]);
      assertThat(Thread.interrupted()).isTrue();

      assertThat(read(file, 5, 1)).containsExactly(CONTENT[5]);
    }
  }

  @Test
  void readersBesideAnInterruptedOne_getEveryByte() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (FileBytes file = FileBytes.open(path)) {
      List<Future<Boolean>> readers = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        boolean interrupts = t == 0;
        readers.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 2000; i++) {
                    if (interrupts) {
                      Thread.currentThread().interrupt();
                    }
                    assertThat(read(file, 0, 4096)).startsWith(CONTENT[0], CONTENT[1]);
                    assertThat(Thread.interrupted()).isEqualTo(interrupts);
                  }
                  return true;
                }));
      }
      for (Future<Boolean> reader : readers) {
        assertThat(reader.get()).isTrue();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void replacedFile_isNotTakenForTheOldOneAfterAnInterrupt() throws IOException {
    try (FileBytes file = FileBytes.open(path)) {
      Files.write(folder.resolve("other"), new byte[CONTENT.length]);
      Files.delete(path);
      Files.move(folder.resolve("other"), path);
      Thread.currentThread().interrupt();

      assertThatThrownBy(() -> read(file, 0, 1))
          .isInstanceOf(IOException.class)
          .hasMessageContainingAll(path.toString(), "replaced");
    }
  }

  @Test
  void closedFile_isNotOpenedAgain() throws IOException {
    FileBytes file = FileBytes.open(path);
    file.close();
    assertThatThrownBy(() -> read(file, 0, 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("is closed");
  }

  @Test
  void temporaryFile_survivesAnInterrupt_andIsDeletedWhenClosed() throws IOException {
    Path written;
    try (FileBytes file = FileBytes.temporary(out -> out.write(ByteBuffer.wrap(CONTENT)))) {
      written = file.path();
      Thread.currentThread().interrupt();
      assertThat(read(file, 0, CONTENT.length)).isEqualTo(CONTENT);
    }
    assertThat(written).doesNotExist();
  }
}
