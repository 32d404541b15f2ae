package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several JVMs at one cache, some of which die. */
@Timeout(300)
class HubProcessTest {
  private static final String REPO = "owner/name";
  private static final RepoFile FILE = RepoFile.of(REPO, "w.safetensors");
  private static final int SIZE = 400_000;
  private static final int CHUNK = 50_000;
  private static final byte[] CONTENT = HubClientTest.randomBytes(SIZE);

  @TempDir Path cache;
  private FakeHub hub;

  @BeforeEach
  void startHub() throws IOException {
    hub = FakeHub.start().lfs(REPO, FILE.filename(), CONTENT);
  }

  @AfterEach
  void stopHub() throws IOException {
    hub.close();
  }

  private HubClient client(int connections) {
    return HubClient.of(hub.client(cache).connections(connections).chunkBytes(CHUNK));
  }

  private ChildJvm child(int connections, int threads, String dieAt) throws IOException {
    return ChildJvm.start(
        DownloadMain.class,
        hub.endpoint(),
        cache,
        REPO,
        connections,
        CHUNK,
        threads,
        dieAt,
        FILE.filename());
  }

  // kill -9

  @ParameterizedTest(name = "{0} connections, killed after {1} bytes")
  @CsvSource({"1, 1", "1, 200000", "1, 399000", "3, 1", "3, 200000", "3, 399000"})
  void download_killedMidway_leavesNothingThatIsTakenForComplete(int connections, long bytes)
      throws Exception {
    hub.everyBody(new Fault.Drip(10_000, 20));

    try (ChildJvm child = child(connections, 1, DownloadMain.NEVER)) {
      child.awaitLine("READY");
      child.tell("go");
      while (child.isAlive() && largestBlob() < bytes) {
        Thread.sleep(1);
      }
      child.kill();
    }

    assertNothingWrongIsFound(connections);
    hub.behave().resetCounts();
    assertThat(client(connections).download(FILE)).hasBinaryContent(CONTENT);
    if (bytes > CHUNK) {
      assertThat(hub.requests())
          .filteredOn(r -> r.server().equals("cdn"))
          .extracting(r -> r.range().orElse("bytes=0-"))
          .noneMatch(range -> range.startsWith("bytes=0-"));
    }
    assertThat(new HubCache(cache).verify().problems()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = DownloadProgress.Phase.class,
      names = {"STARTED", "FINISHED"})
  void download_diesBeforeTheBodyOrBeforeTheLink_isCompletedLater(DownloadProgress.Phase phase)
      throws Exception {
    try (ChildJvm child = child(1, 1, phase.name())) {
      child.awaitLine("READY");
      child.tell("go");
      assertThat(child.finish()).isEmpty();
    }

    assertThat(client(1).findCached(FILE)).isEmpty();
    assertNothingWrongIsFound(1);
    assertThat(client(1).download(FILE)).hasBinaryContent(CONTENT);
    assertThat(hub.bodyBytes()).isEqualTo(SIZE); // A blob that got its name needs no second body.
    assertThat(new HubCache(cache).verify().problems()).isEmpty();
  }

  private void assertNothingWrongIsFound(int connections) throws IOException {
    assertThat(client(connections).findCached(FILE).stream().toList())
        .allSatisfy(path -> assertThat(path).hasBinaryContent(CONTENT));
    assertThat(new HubCache(cache).verify().isSound()).isTrue();
  }

  private long largestBlob() throws IOException {
    Path blobs = cache.resolve("models--owner--name/blobs");
    if (!Files.isDirectory(blobs)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(blobs)) {
      return files
          .filter(file -> !file.toString().endsWith(".tmp"))
          .mapToLong(HubProcessTest::sizeOrZero)
          .max()
          .orElse(0);
    }
  }

  private static long sizeOrZero(Path file) {
    try {
      return Files.size(file);
    } catch (NoSuchFileException e) {
      return 0; // It has just got its final name.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // many at once

  @ParameterizedTest(name = "{0} connections")
  @ValueSource(ints = {1, 3})
  void download_fourProcessesAndTwentyThreads_fetchTheBodyOnce(int connections) throws Exception {
    hub.everyBody(new Fault.Drip(20_000, 20));
    List<ChildJvm> children = new ArrayList<>();
    try {
      for (int i = 0; i < 4; i++) {
        children.add(child(connections, 2, DownloadMain.NEVER));
      }
      for (ChildJvm child : children) {
        child.awaitLine("READY");
      }
      List<Path> paths = downloadTogether(children, 20, connections);

      assertThat(paths).hasSize(20 + 4 * 2).containsOnly(paths.get(0));
      assertThat(paths.get(0)).hasBinaryContent(CONTENT);
      assertThat(hub.bodyBytes()).isEqualTo(SIZE);
      assertThat(hub.count("GET")).isEqualTo(connections == 1 ? 1 : SIZE / CHUNK);
      assertThat(new HubCache(cache).verify().problems()).isEmpty();
    } finally {
      children.forEach(ChildJvm::close);
    }
  }

  private List<Path> downloadTogether(List<ChildJvm> children, int threads, int connections)
      throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      HubClient shared = client(connections);
      Callable<Path> download = () -> shared.download(FILE);
      List<Future<Path>> downloads = new ArrayList<>();
      for (ChildJvm child : children) {
        child.tell("go");
      }
      for (int i = 0; i < threads; i++) {
        downloads.add(executor.submit(download));
      }
      List<Path> paths = new ArrayList<>();
      for (Future<Path> result : downloads) {
        paths.add(result.get());
      }
      for (ChildJvm child : children) {
        child.finish().forEach(line -> paths.add(Path.of(line.replaceFirst("^OK ", ""))));
      }
      return paths;
    } finally {
      executor.shutdownNow();
    }
  }
}
