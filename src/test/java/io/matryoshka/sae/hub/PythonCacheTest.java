package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One cache with Python's {@code huggingface_hub}, both ways. Needs the path of a Python that has
 * it:
 *
 * <pre>{@code mvn test -Ppython -Dtest=PythonCacheTest -Dpython=/usr/bin/python3}</pre>
 */
@Tag("python")
class PythonCacheTest {
  private static final String REPO = "owner/name";
  private static final RepoFile CONFIG = RepoFile.of(REPO, "blocks.5/cfg.json");
  private static final RepoFile WEIGHTS = RepoFile.of(REPO, "blocks.5/sae_weights.safetensors");
  private static final RepoFile MISSING = RepoFile.of(REPO, "blocks.5/sparsity.safetensors");
  private static final byte[] LARGE = HubClientTest.randomBytes(300_000);
  private static final String DOWNLOAD =
      """
      import sys
      from huggingface_hub import hf_hub_download
      for name in sys.argv[3:]:
          print(hf_hub_download(sys.argv[2], name, cache_dir=sys.argv[1]))
      """;
  private static final String INSPECT =
      """
      import sys
      from huggingface_hub import scan_cache_dir, try_to_load_from_cache
      info = scan_cache_dir(sys.argv[1])
      print(len(info.warnings), info.size_on_disk)
      print(isinstance(try_to_load_from_cache(sys.argv[2], sys.argv[3], sys.argv[1]), str))
      """;

  @TempDir Path cache;
  private FakeHub hub;

  @BeforeEach
  void startHub() throws IOException {
    hub =
        FakeHub.start()
            .file(REPO, CONFIG.filename(), "{}".getBytes(StandardCharsets.UTF_8))
            .lfs(REPO, WEIGHTS.filename(), LARGE);
  }

  @AfterEach
  void stopHub() throws IOException {
    hub.close();
  }

  private HubClient client() {
    return HubClient.of(hub.client(cache));
  }

  private List<String> python(String program, boolean offline, Object... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(System.getProperty("python", "python3"), "-c"));
    command.add(program);
    command.add(cache.toString());
    Arrays.stream(arguments).map(Object::toString).forEach(command::add);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder
        .environment()
        .putAll(
            Map.of(
                "HF_ENDPOINT",
                hub.endpoint().toString(),
                "HF_HUB_OFFLINE",
                offline ? "1" : "0",
                "HF_HUB_DISABLE_TELEMETRY",
                "1"));
    Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    List<String> lines = process.inputReader(StandardCharsets.UTF_8).lines().toList();
    assertThat(process.waitFor()).as("exit code of Python").isZero();
    return lines;
  }

  @Test
  void download_byUs_isFoundByPythonOffline() throws Exception {
    Path config = client().download(CONFIG);
    Path weights = client().download(WEIGHTS);
    assertThat(client().downloadIfPresent(MISSING)).isEmpty();

    assertThat(python(DOWNLOAD, true, REPO, CONFIG.filename(), WEIGHTS.filename()))
        .containsExactly(config.toString(), weights.toString());
    assertThat(python(INSPECT, true, REPO, WEIGHTS.filename()))
        .containsExactly("0 " + (LARGE.length + 2), "True");
    assertThat(python(INSPECT, true, REPO, MISSING.filename()).get(1)).isEqualTo("False");
  }

  @Test
  void download_byPython_isFoundByUs() throws Exception {
    List<String> paths = python(DOWNLOAD, false, REPO, CONFIG.filename(), WEIGHTS.filename());
    hub.resetCounts();

    HubClient offline = HubClient.of(hub.client(cache).offline(true));
    assertThat(paths)
        .containsExactly(offline.download(CONFIG).toString(), offline.download(WEIGHTS).toString());
    assertThat(hub.requests()).isEmpty();
    assertThat(client().download(WEIGHTS)).hasBinaryContent(LARGE);
    assertThat(hub.bodyBytes()).isZero();
    CacheVerification verification = new HubCache(cache).verify();
    assertThat(verification.problems()).isEmpty();
    assertThat(verification.verifiedFiles()).isEqualTo(2);
  }
}
