package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.matryoshka.sae.support.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Caches on a small and on a read-only file system, which a child JVM sees in a mount namespace of
 * its own. Skipped where the system does not let this user make one.
 */
@Timeout(300)
class HubMountTest {
  private static final String REPO = "owner/name";
  private static final byte[] WEIGHTS = HubClientTest.randomBytes(400_000);
  private static final String SMALL_DISK = "mount -t tmpfs -o size=1m none \"$0\"";
  private static final String READ_ONLY =
      "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\"";

  @TempDir Path cache;
  private FakeHub hub;

  @BeforeEach
  void startHub() throws IOException {
    hub =
        FakeHub.start()
            .file(REPO, "cfg.json", new byte[] {'{', '}'})
            .lfs(REPO, "w.safetensors", WEIGHTS)
            .generated(REPO, "big.safetensors", 5_000_000);
  }

  @AfterEach
  void stopHub() throws IOException {
    hub.close();
  }

  private List<String> mounted(String mount, String... command) {
    List<String> words =
        new ArrayList<>(
            List.of("unshare", "-rm", "sh", "-c", mount + " && exec \"$@\"", cache.toString()));
    words.addAll(List.of(command));
    return words;
  }

  private void assumeMounts(String mount) throws InterruptedException {
    int status;
    try {
      status = new ProcessBuilder(mounted(mount, "true")).start().waitFor();
    } catch (IOException e) {
      status = -1; // There is no such command.
    }
    assumeThat(status).as("status of a mount in a namespace of its own").isZero();
  }

  @Test
  void download_diskFull_saysSoAndLeavesNothing() throws Exception {
    assumeMounts(SMALL_DISK);
    hub.everyBody(new Fault.Drip(50_000, 150));

    try (ChildJvm child =
        ChildJvm.start(
            mounted(SMALL_DISK),
            List.of(),
            FullDiskMain.class,
            hub.endpoint(),
            cache,
            REPO,
            "big.safetensors",
            "w.safetensors")) {
      List<String> lines = child.finish();

      assertThat(lines).hasSize(6);
      assertThat(lines.get(0))
          .startsWith("FAILED CacheWriteException: ")
          .contains("needs 5000000 bytes in ", "free some space");
      assertThat(lines.get(1))
          .startsWith("FAILED CacheWriteException: ")
          .contains("No space left on device", "HF_HUB_CACHE");
      assertThat(lines.get(2)).isEqualTo("LEFT 0");
      assertThat(lines.get(3)).isEqualTo("FOUND false");
      assertThat(lines.get(4)).startsWith("OK ").endsWith("w.safetensors");
      assertThat(lines.get(5)).isEqualTo("SOUND true");
    }
  }

  @Test
  void download_readOnlyCache_servesWhatItHasAndRefusesTheRest() throws Exception {
    assumeMounts(READ_ONLY);
    Path cached = HubClient.of(hub.client(cache)).download(RepoFile.of(REPO, "cfg.json"));
    hub.resetCounts();

    try (ChildJvm child =
        ChildJvm.start(
            mounted(READ_ONLY),
            List.of(),
            DownloadMain.class,
            hub.endpoint(),
            cache,
            REPO,
            1,
            1 << 20,
            1,
            DownloadMain.NEVER,
            "cfg.json",
            "w.safetensors")) {
      child.awaitLine("READY");
      child.tell("go");
      List<String> lines = child.finish();

      assertThat(lines).hasSize(2);
      assertThat(lines.get(0)).isEqualTo("OK " + cached);
      assertThat(lines.get(1))
          .startsWith("FAILED CacheWriteException: ")
          .contains("Read-only file system", "HF_HUB_CACHE");
      assertThat(hub.bodyBytes()).isZero();
    }
  }
}
