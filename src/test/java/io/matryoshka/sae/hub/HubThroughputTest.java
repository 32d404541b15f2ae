package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.ChildJvm;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Measures how much verification costs on a file of 600 MB, in a JVM with a heap of less than 64
 * MB:
 *
 * <pre>{@code mvn test -Plarge -Dtest=HubThroughputTest}</pre>
 *
 * <p>It prints the rates; they depend on the machine, so nothing is asserted of them.
 */
class HubThroughputTest {
  private static final String REPO = "owner/name";
  private static final String FILENAME = "sae_weights.safetensors";
  private static final long SIZE = 600_000_000;
  private static final int HEAP_BYTES = 60_000_000;
  private static final int ROUNDS = 5;

  @TempDir Path folder;

  @Test
  @Tag("large")
  void download_largeFileInASmallHeap_isVerified() throws Exception {
    try (FakeHub hub = FakeHub.start().generated(REPO, FILENAME, SIZE);
        ChildJvm child =
            ChildJvm.start(
                List.of(),
                List.of("-Xmx" + HEAP_BYTES),
                ThroughputMain.class,
                hub.endpoint(),
                plainAddress(hub),
                folder,
                REPO,
                FILENAME,
                ROUNDS)) {
      List<String> lines = child.finish();

      lines.forEach(System.out::println);
      assertThat(lines).hasSize(ROUNDS + 3).last().asString().startsWith("heap of at most ");
    }
  }

  /** Returns where the redirect of the Hub leads, so that the copy asks the same server. */
  private static URI plainAddress(FakeHub hub) throws IOException, InterruptedException {
    URI file = URI.create(hub.endpoint() + "/" + REPO + "/resolve/main/" + FILENAME);
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(file).build(), BodyHandlers.discarding())
        .headers()
        .firstValue("Location")
        .map(URI::create)
        .orElseThrow();
  }
}
