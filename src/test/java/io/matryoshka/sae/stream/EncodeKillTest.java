package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.support.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs in a JVM of their own that are killed, or find no room on the disk. */
@Timeout(300)
class EncodeKillTest {

  private static final int ROWS = 12_000;
  private static final int ROWS_PER_SHARD = 700;
  private static final int KILLS = 4;
  private static final String READ_ONLY =
      "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\"";
  private static final String SMALL_DISK = "mount -t tmpfs -o size=1m none \"$0\"";

  @TempDir Path folder;

  private long count(Path run, String part) throws IOException {
    if (!Files.exists(run)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(run)) {
      return files.filter(file -> file.getFileName().toString().contains(part)).count();
    }
  }

  /** Kills runs at random moments between two shards until one ends by itself. */
  @Tag("slow")
  @ParameterizedTest
  @CsvSource({"0, 1", "6, 3"})
  void toFolder_killedAgainAndAgain_endsWithTheBytesOfAnUninterruptedRun(int k, long seed)
      throws Exception {
    ActivationSource source = DemoRows.source(folder.resolve("in"), 3000, 5000, ROWS - 8000);
    Path whole = folder.resolve("whole");
    try (SAE sae = DemoRows.sae()) {
      EncodeRun.toFolder(
          sae,
          source,
          whole,
          EncodeOptions.defaults()
              .rowsPerShard(ROWS_PER_SHARD)
              .batchRows(256)
              .selection(k == 0 ? Selection.threshold() : Selection.batchTopK(k)));
    }
    Map<String, Integer> expected = DemoRows.contents(whole);

    Path run = folder.resolve("run");
    Random random = new Random(seed);
    int kills = 0;
    for (int i = 0; i < KILLS; i++) {
      long before = count(run, "latents-");
      try (ChildJvm child = start(run, k)) {
        long shards = before + random.nextInt(4);
        while (child.isAlive()
            && (!Files.exists(run.resolve("checkpoint.json"))
                || count(run, "latents-") <= shards)) {
          Thread.sleep(1);
        }
        Thread.sleep(random.nextInt(30));
        kills += child.isAlive() ? 1 : 0;
        child.kill();
      }
      assertNothingHalf(run, expected);
    }
    assertThat(kills).isPositive();

    try (ChildJvm child = start(run, k)) {
      assertThat(child.finish()).anyMatch(line -> line.startsWith("DONE " + ROWS));
    }
    assertThat(DemoRows.contents(run)).isEqualTo(expected);
  }

  private ChildJvm start(Path run, int k) throws IOException {
    return ChildJvm.start(EncodeMain.class, folder.resolve("in"), run, ROWS_PER_SHARD, 256, k);
  }

  /** What has its name is complete, and no index tells of shards that are not there. */
  private void assertNothingHalf(Path run, Map<String, Integer> expected) throws IOException {
    DemoRows.contents(run)
        .forEach(
            (name, content) -> {
              if (name.startsWith("latents-")) {
                assertThat(content).as(name).isEqualTo(expected.get(name));
              }
            });
    if (Files.exists(run.resolve("index.json"))) {
      assertThat(DemoRows.contents(run)).containsAllEntriesOf(expected);
    }
  }

  @Test
  void toFolder_killedWhileAnotherWaits_freesTheFolder() throws Exception {
    DemoRows.source(folder.resolve("in"), ROWS);
    Path run = folder.resolve("run");
    try (ChildJvm child = start(run, 0)) {
      while (child.isAlive() && count(run, "latents-") == 0) {
        Thread.sleep(1);
      }
      try (ChildJvm other = start(run, 0)) {
        List<String> lines = other.finish();
        // The first may have ended before the second came to the folder.
        assertThat(lines)
            .anyMatch(
                line ->
                    line.contains("another encode run is writing to this folder")
                        || line.equals("DONE " + ROWS + " " + ROWS));
      }
      child.kill();
    }
    try (ChildJvm child = start(run, 0)) {
      assertThat(child.finish()).anyMatch(line -> line.startsWith("DONE " + ROWS));
    }
  }

  @Test
  void toFolder_diskFull_saysSoAndLeavesWholeShards() throws Exception {
    Path run = Files.createDirectories(folder.resolve("run"));
    List<String> wrapper =
        List.of(
            "unshare",
            "-rm",
            "sh",
            "-c",
            SMALL_DISK + " && \"$@\"; cp -r \"$0\" \"$0-copy\"",
            run.toString());
    assumeMounts(run);
    DemoRows.source(folder.resolve("in"), ROWS);
    try (ChildJvm child =
        ChildJvm.start(
            wrapper,
            List.of(),
            EncodeMain.class,
            folder.resolve("in"),
            run,
            ROWS_PER_SHARD,
            256,
            0)) {
      assertThat(child.finish())
          .anySatisfy(
              line ->
                  assertThat(line)
                      .startsWith("FAILED ")
                      .contains("cannot be written", "No space left on device", "to resume"));
    }
    Path copy = folder.resolve("run-copy");
    assertThat(copy.resolve("index.json")).doesNotExist();
    assertThat(count(copy, ".tmp")).isZero();
    assertThat(count(copy, "latents-")).isPositive();
    try (SAE sae = DemoRows.sae()) {
      SparseLatents first = SparseLatents.load(copy.resolve("latents-00000-of-00018.safetensors"));
      assertThat(first.activations())
          .isEqualTo(sae.encodeSparse(DemoRows.rows(0, ROWS_PER_SHARD)).activations());
    }
  }

  @Test
  void toFolder_readOnlyDisk_saysSo() throws Exception {
    Path run = Files.createDirectories(folder.resolve("run"));
    assumeMounts(run);
    DemoRows.source(folder.resolve("in"), 10);
    List<String> wrapper =
        List.of("unshare", "-rm", "sh", "-c", READ_ONLY + " && exec \"$@\"", run.toString());
    try (ChildJvm child =
        ChildJvm.start(
            wrapper, List.of(), EncodeMain.class, folder.resolve("in"), run, 10, 10, 0)) {
      assertThat(child.finish())
          .anySatisfy(
              line ->
                  assertThat(line)
                      .startsWith("FAILED " + run + ": cannot be written")
                      .contains("Read-only file system"));
    }
    assertThat(run).isEmptyDirectory();
  }

  private static void assumeMounts(Path place) throws InterruptedException {
    int status;
    try {
      status =
          new ProcessBuilder("unshare", "-rm", "sh", "-c", SMALL_DISK, place.toString())
              .start()
              .waitFor();
    } catch (IOException e) {
      status = -1; // There is no such command.
    }
    assumeThat(status).as("status of a mount in a namespace of its own").isZero();
  }

  /** As Lustre without flock and mounted buckets do, answers each lock with ENOLCK. */
  private static final String NO_LOCKS =
      """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <errno.h>
      #include <fcntl.h>
      #include <stdarg.h>
      static int go(const char *name, int fd, int cmd, void *arg) {
        if (cmd == F_SETLK || cmd == F_SETLKW) { errno = ENOLCK; return -1; }
        int (*real)(int, int, ...) = dlsym(RTLD_NEXT, name);
        return real(fd, cmd, arg);
      }
      int fcntl(int fd, int cmd, ...) {
        va_list a; va_start(a, cmd); void *p = va_arg(a, void *); va_end(a);
        return go("fcntl", fd, cmd, p);
      }
      int fcntl64(int fd, int cmd, ...) {
        va_list a; va_start(a, cmd); void *p = va_arg(a, void *); va_end(a);
        return go("fcntl64", fd, cmd, p);
      }
      """;

  @Test
  void toFolder_fileSystemWithoutLocks_warnsOnceAndWrites() throws Exception {
    Path source = Files.writeString(folder.resolve("nolock.c"), NO_LOCKS);
    Path library = folder.resolve("nolock.so");
    assumeThat(compile(source, library)).as("a C compiler").isTrue();
    DemoRows.source(folder.resolve("in"), ROWS);
    try (ChildJvm child =
        ChildJvm.start(
            List.of("env", "LD_PRELOAD=" + library),
            List.of(),
            EncodeMain.class,
            folder.resolve("in"),
            folder.resolve("run"),
            ROWS_PER_SHARD,
            256,
            0)) {
      List<String> lines = child.finish();
      assertThat(lines).anyMatch(line -> line.startsWith("DONE " + ROWS));
      assertThat(lines).filteredOn(line -> line.contains("has no locks")).hasSize(1);
    }
    assertThat(count(folder.resolve("run"), ".tmp")).isZero();
  }

  private static boolean compile(Path source, Path library) throws InterruptedException {
    try {
      return new ProcessBuilder(
                  "gcc", "-shared", "-fPIC", "-o", library.toString(), source.toString(), "-ldl")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
