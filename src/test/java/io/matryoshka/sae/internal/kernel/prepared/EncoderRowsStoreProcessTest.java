package io.matryoshka.sae.internal.kernel.prepared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.matryoshka.sae.internal.io.TemporaryFile;
import io.matryoshka.sae.internal.kernel.SyntheticEncoder;
import io.matryoshka.sae.internal.kernel.prepared.StoreMain.Event;
import io.matryoshka.sae.support.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Prepared encoders that several JVMs share, whose writers are killed, or that find no room. */
@Timeout(300)
class EncoderRowsStoreProcessTest {

  private static final int ROUNDS = 40;
  private static final String SMALL_DISK = "mount -t tmpfs -o size=%s none \"$0\"";
  private static final String READ_ONLY =
      "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\"";

  @TempDir Path folder;

  private Path file() {
    return folder.resolve("synthetic.encoder");
  }

  private ChildJvm start(long seed, int rounds, Event event, boolean delete) throws IOException {
    return ChildJvm.start(StoreMain.class, file(), seed, rounds, event, delete);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  private void assertRightHere(long seed) throws IOException {
    SyntheticEncoder encoder = new SyntheticEncoder(seed);
    encoder.assertIsLayout(encoder.loadOrBuild(file()));
    assertThat(files()).containsExactly(file());
  }

  /** With one seed all want the same file, with more they take it from each other. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void loadOrBuild_threeJvmsAtOnce_eachGetsItsLayout(boolean sameWeights) throws Exception {
    List<ChildJvm> children = new ArrayList<>();
    try {
      for (int c = 0; c < 3; c++) {
        boolean reader = c == 2;
        long seed = sameWeights || reader ? 1 : c + 1;
        children.add(start(seed, ROUNDS, Event.NOTHING, sameWeights && !reader));
      }
      for (ChildJvm child : children) {
        child.awaitLine("READY");
      }
      for (ChildJvm child : children) {
        child.tell("go");
      }
      for (ChildJvm child : children) {
        assertThat(child.finish()).isEqualTo(Collections.nCopies(ROUNDS, "RIGHT"));
      }
    } finally {
      children.forEach(ChildJvm::close);
    }
    assertRightHere(1);
  }

  @Test
  void loadOrBuild_writerKilled_nextStartIsRightAndClearsUp() throws Exception {
    try (ChildJvm child = start(1, 1, Event.HANG, false)) {
      child.awaitLine("READY");
      child.tell("go");
      child.awaitLine("WRITING");
      List<Path> parts = files();
      assertThat(parts).singleElement().asString().endsWith(".matryoshka.tmp");

      TemporaryFile.removeAbandoned(folder);
      assertThat(files()).as("a part whose writer is alive").isEqualTo(parts);
      child.kill();
    }
    assertRightHere(1);
  }

  /** The sound file beside a part that was left behind is used, and the part is removed. */
  @Test
  void loadOrBuild_writerOfOtherWeightsKilled_keepsTheSoundFile() throws Exception {
    SyntheticEncoder encoder = new SyntheticEncoder(1);
    encoder.loadOrBuild(file());
    byte[] sound = Files.readAllBytes(file());
    try (ChildJvm child = start(2, 1, Event.HANG, false)) {
      child.awaitLine("READY");
      child.tell("go");
      child.awaitLine("WRITING");
      assertRightWhileWritten(encoder);
      child.kill();
    }
    assertRightHere(1);
    assertThat(Files.readAllBytes(file())).isEqualTo(sound);
  }

  private void assertRightWhileWritten(SyntheticEncoder encoder) throws IOException {
    encoder.assertIsLayout(encoder.loadOrBuild(file()));
    assertThat(files()).hasSize(2);
  }

  // ---- memory ----

  /** Java gives as much memory outside the heap as the heap may have; an encoder may need more. */
  @Test
  void loadOrBuild_noFileAndNoDirectMemory_isRight() throws Exception {
    Files.createFile(file());
    try (ChildJvm child =
        ChildJvm.start(
            List.of(),
            List.of("-XX:MaxDirectMemorySize=100k", "-Dai.djl.offline=true"),
            StoreMain.class,
            file().resolve("below.encoder"),
            1,
            1,
            Event.NOTHING,
            false)) {
      child.awaitLine("READY");
      child.tell("go");
      assertThat(child.finish()).contains("RIGHT");
    }
  }

  // ---- disks ----

  private List<String> runMounted(String mount, Event event) throws Exception {
    String script = mount + " && shift && \"$@\"; ls -A \"$0\"";
    List<String> wrapper =
        List.of("unshare", "-rm", "sh", "-c", script, folder.toString(), "first");
    assumeMounts(mount);
    try (ChildJvm child =
        ChildJvm.start(wrapper, List.of(), StoreMain.class, file(), 1, 1, event, false)) {
      child.awaitLine("READY");
      child.tell("go");
      return child.finish();
    }
  }

  private void assumeMounts(String mount) throws InterruptedException {
    int status;
    try {
      status =
          new ProcessBuilder("unshare", "-rm", "sh", "-c", mount, folder.toString())
              .start()
              .waitFor();
    } catch (IOException e) {
      status = -1; // There is no such command.
    }
    assumeThat(status).as("status of a mount in a namespace of its own").isZero();
  }

  private static List<String> withoutLog(List<String> lines) {
    return lines.stream().filter(line -> !line.contains("the prepared encoder")).toList();
  }

  @Test
  void loadOrBuild_diskThatFillsMeanwhile_preparesInMemoryAndLeavesNoPart() throws Exception {
    List<String> lines = runMounted(String.format(SMALL_DISK, "72m"), Event.FILL);
    assertThat(withoutLog(lines)).containsExactly("RIGHT", "filler");
    assertThat(lines).anyMatch(line -> line.contains("No space left on device"));
  }

  @Test
  void loadOrBuild_littleRoom_preparesInMemoryAndWritesNothing() throws Exception {
    List<String> lines = runMounted(String.format(SMALL_DISK, "1m"), Event.NOTHING);
    assertThat(withoutLog(lines)).containsExactly("RIGHT");
    assertThat(lines).anyMatch(line -> line.contains("the disk has"));
  }

  @Test
  void loadOrBuild_readOnlyDisk_preparesInMemory() throws Exception {
    List<String> lines = runMounted(READ_ONLY, Event.NOTHING);
    assertThat(withoutLog(lines)).containsExactly("RIGHT");
    assertThat(lines).anyMatch(line -> line.contains("Read-only file system"));
  }

  @Test
  void loadOrBuild_readOnlyDiskWithTheFile_readsIt() throws Exception {
    new SyntheticEncoder(1).loadOrBuild(file());
    assertThat(runMounted(READ_ONLY, Event.NOTHING)).containsExactly("RIGHT", "synthetic.encoder");
  }
}
