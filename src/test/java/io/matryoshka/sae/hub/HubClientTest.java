package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubClientTest {
  private static final String REPO = "owner/name";
  private static final String CONFIG = "blocks.5/cfg.json";
  private static final String WEIGHTS = "blocks.5/sae_weights.safetensors";
  private static final RepoFile CONFIG_FILE = RepoFile.of(REPO, CONFIG);
  private static final RepoFile WEIGHTS_FILE = RepoFile.of(REPO, WEIGHTS);
  private static final byte[] SMALL = "{\"d_in\": 4}".getBytes(StandardCharsets.UTF_8);
  private static final byte[] LARGE = randomBytes(300_000);

  @TempDir Path cache;
  private FakeHub hub;

  static byte[] randomBytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  @BeforeEach
  void startHub() throws IOException {
    hub = FakeHub.start().file(REPO, CONFIG, SMALL).lfs(REPO, WEIGHTS, LARGE);
  }

  @AfterEach
  void stopHub() throws IOException {
    hub.close();
  }

  private HubClient client() {
    return HubClient.of(hub.client(cache));
  }

  private HubClient offline() {
    return HubClient.of(hub.client(cache).offline(true));
  }

  private Path repo() {
    return cache.resolve("models--owner--name");
  }

  // download: content and layout

  @Test
  void download_smallAndLargeFile_returnsTheirContent() throws IOException {
    assertThat(client().download(CONFIG_FILE)).hasBinaryContent(SMALL);
    assertThat(client().download(WEIGHTS_FILE)).hasBinaryContent(LARGE);
  }

  @Test
  void download_anyFile_layoutIsThatOfPython() throws IOException {
    FileSystems.assumeLinks(cache);
    Path path = client().download(WEIGHTS_FILE);

    String commit = hub.commit(REPO, "main");
    String sha256 = FakeContent.of(LARGE).etag(true);
    assertThat(path).isEqualTo(repo().resolve("snapshots").resolve(commit).resolve(WEIGHTS));
    assertThat(Files.readSymbolicLink(path)).isEqualTo(Path.of("../../../blobs/" + sha256));
    assertThat(repo().resolve("refs/main")).hasContent(commit);
    assertThat(repo().resolve("blobs")).isDirectoryContaining("glob:**/" + sha256);
    assertThat(cache.resolve(".locks/models--owner--name/" + sha256 + ".lock")).exists();
    assertThat(cache.resolve("CACHEDIR.TAG")).content().startsWith("Signature: 8a477f597d28d172");
    assertThat(filesIn(repo().resolve("blobs"))).hasSize(1);
  }

  @Test
  void download_emptyFile_isStored() throws IOException {
    hub.file(REPO, "empty.txt", new byte[0]).lfs(REPO, "empty.bin", new byte[0]);

    assertThat(client().download(RepoFile.of(REPO, "empty.txt"))).isEmptyFile();
    assertThat(client().download(RepoFile.of(REPO, "empty.bin"))).isEmptyFile();
  }

  @Test
  void download_nameWithBlanksAndUmlauts_isEncoded() throws IOException {
    hub.file(REPO, "a b/ü+%.txt", SMALL);

    assertThat(client().download(RepoFile.of(REPO, "a b/ü+%.txt"))).hasBinaryContent(SMALL);
    assertThat(hub.requests().get(0).path()).endsWith("/resolve/main/a%20b/%C3%BC%2B%25.txt");
  }

  @Test
  void download_pullRequestRevision_isEncodedAndKeepsItsRef() throws IOException {
    hub.publish(REPO, "refs/pr/1", CONFIG, FakeContent.of(SMALL), false);

    client().download(new RepoFile(REPO, "refs/pr/1", CONFIG));

    assertThat(hub.requests().get(0).path()).contains("/resolve/refs%2Fpr%2F1/");
    assertThat(repo().resolve("refs/refs/pr/1")).hasContent(hub.commit(REPO, "refs/pr/1"));
  }

  @Test
  void download_renamedRepository_keepsTheNameAskedFor() throws IOException {
    hub.rename("old/name", REPO);

    Path path = client().download(RepoFile.of("old/name", WEIGHTS));

    assertThat(path).startsWith(cache.resolve("models--old--name")).hasBinaryContent(LARGE);
  }

  @Test
  void download_mirrorWithOwnEtag_checksOnlyTheLength() throws IOException {
    hub.publish(REPO, "main", "odd.bin", FakeContent.of(LARGE), "abc-5", true);

    assertThat(client().download(RepoFile.of(REPO, "odd.bin"))).hasBinaryContent(LARGE);
    assertThat(repo().resolve("blobs/abc-5")).exists();
  }

  @Test
  void download_etagThatIsAPath_isRefused() {
    hub.publish(REPO, "main", "odd.bin", FakeContent.of(LARGE), "../../evil", true);

    assertThatThrownBy(() -> client().download(RepoFile.of(REPO, "odd.bin")))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("an ETag that can name a file");
  }

  // download: what is cached

  @Test
  void download_twice_fetchesTheBodyOnce() throws IOException {
    client().download(WEIGHTS_FILE);
    client().download(WEIGHTS_FILE);

    assertThat(hub.bodyBytes()).isEqualTo(LARGE.length);
    assertThat(hub.count("HEAD")).isEqualTo(2);
  }

  @Test
  void download_pinnedCommitThatIsCached_sendsNoRequest() throws IOException {
    RepoFile pinned = new RepoFile(REPO, hub.commit(REPO, "main"), CONFIG);
    Path first = client().download(pinned);
    hub.resetCounts();

    assertThat(client().download(pinned)).isEqualTo(first);
    assertThat(hub.requests()).isEmpty();
    assertThat(repo().resolve("refs")).doesNotExist();
  }

  @Test
  void download_branchThatMoved_fetchesTheNewContentOnly() throws IOException {
    client().download(CONFIG_FILE);
    client().download(WEIGHTS_FILE);
    hub.file(REPO, CONFIG, "{}".getBytes(StandardCharsets.UTF_8)).resetCounts();

    assertThat(client().download(CONFIG_FILE)).hasContent("{}");
    assertThat(client().download(WEIGHTS_FILE)).hasBinaryContent(LARGE);
    assertThat(hub.bodyBytes()).isEqualTo(2);
    assertThat(repo().resolve("refs/main")).hasContent(hub.commit(REPO, "main"));
  }

  @Test
  void download_blobWithWrongLength_isReplaced() throws IOException {
    Path path = client().download(WEIGHTS_FILE);
    Files.write(path.toRealPath(), new byte[10]);

    assertThat(client().download(WEIGHTS_FILE)).hasBinaryContent(LARGE);
  }

  @Test
  void download_danglingLink_isRepaired() throws IOException {
    FileSystems.assumeLinks(cache);
    Path path = client().download(WEIGHTS_FILE);
    Files.delete(path.toRealPath());

    assertThat(offline().findCached(WEIGHTS_FILE)).isEmpty();
    assertThat(client().download(WEIGHTS_FILE)).hasBinaryContent(LARGE);
  }

  @Test
  void download_forced_replacesWhatIsCached() throws IOException {
    Path path = client().download(WEIGHTS_FILE);
    byte[] damaged = LARGE.clone();
    damaged[7]++;
    Files.write(path.toRealPath(), damaged);

    HubClient.of(hub.client(cache).forceDownload(true)).download(WEIGHTS_FILE);

    assertThat(path).hasBinaryContent(LARGE);
  }

  @Test
  void download_withoutSymlinks_movesNewBlobsAndCopiesOldOnes() throws IOException {
    Map<String, String> environment =
        Map.of(
            "HF_ENDPOINT", hub.endpoint().toString(),
            "HF_HUB_CACHE", cache.toString(),
            "HF_HUB_DISABLE_SYMLINKS", "yes");
    HubClient plain = HubClient.of(HubOptions.fromEnvironment(environment).withoutToken());

    Path moved = plain.download(WEIGHTS_FILE);
    assertThat(moved).hasBinaryContent(LARGE).isRegularFile();
    assertThat(Files.isSymbolicLink(moved)).isFalse();
    assertThat(filesIn(repo().resolve("blobs"))).isEmpty();

    Path linked = client().download(CONFIG_FILE);
    hub.file(REPO, "other.txt", "x".getBytes(StandardCharsets.UTF_8));
    Path copied = plain.download(CONFIG_FILE);
    assertThat(copied).isNotEqualTo(linked).hasBinaryContent(SMALL);
    assertThat(Files.isSymbolicLink(copied)).isFalse();
    assertThat(linked).hasBinaryContent(SMALL);
  }

  // offline and unreachable

  @Test
  void download_offlineAndCached_sendsNoRequest() throws IOException {
    Path path = client().download(CONFIG_FILE);
    hub.resetCounts();

    assertThat(offline().download(CONFIG_FILE)).isEqualTo(path);
    assertThat(offline().findCached(CONFIG_FILE)).contains(path);
    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void download_offlineAndNotCached_saysWhatIsMissing() {
    assertThatThrownBy(() -> offline().download(CONFIG_FILE))
        .isInstanceOf(NotCachedException.class)
        .hasMessageContaining("owner/name@main: blocks.5/cfg.json")
        .hasMessageContaining("unset HF_HUB_OFFLINE or download it first");
  }

  @Test
  void download_hubDownAndCached_usesTheCache() throws IOException {
    Path path = client().download(CONFIG_FILE);
    hub.everyHead(new Fault.Status(503, Map.of()));

    assertThat(client().download(CONFIG_FILE)).isEqualTo(path);
    hub.close();
    assertThat(client().download(CONFIG_FILE)).isEqualTo(path);
  }

  @Test
  void download_hubDownAndNotCached_saysSo() throws IOException {
    hub.close();

    assertThatThrownBy(() -> client().download(CONFIG_FILE))
        .isInstanceOf(HubUnavailableException.class)
        .hasMessageContaining("check the network");
  }

  @Test
  void download_revisionGoneButCached_isAnError() throws IOException {
    client().download(CONFIG_FILE);

    assertThatThrownBy(() -> client().download(new RepoFile(REPO, "gone", CONFIG)))
        .isInstanceOf(RevisionNotFoundException.class)
        .hasMessageContaining("'gone'");
  }

  @Test
  void download_otherServer_saysThatItIsNoHub() {
    hub.everyHead(new Fault.Status(200, Map.of("ETag", "\"x\"")));

    assertThatThrownBy(() -> client().download(CONFIG_FILE))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("X-Repo-Commit")
        .hasMessageContaining("HF_ENDPOINT");
  }

  // optional files

  @Test
  void downloadIfPresent_missingFile_isEmptyAndRemembered() throws IOException {
    RepoFile sparsity = RepoFile.of(REPO, "blocks.5/sparsity.safetensors");

    assertThat(client().downloadIfPresent(sparsity)).isEmpty();

    String commit = hub.commit(REPO, "main");
    assertThat(repo().resolve(".no_exist").resolve(commit).resolve(sparsity.filename()))
        .isEmptyFile();
    assertThat(repo().resolve("refs/main")).hasContent(commit);
    assertThatThrownBy(() -> offline().download(sparsity))
        .isInstanceOf(EntryNotFoundException.class)
        .hasMessageContaining("no such file when the Hub was last asked");
    assertThat(client().downloadIfPresent(CONFIG_FILE)).isPresent();
  }

  @Test
  void downloadIfPresent_offlineAndUnknown_isEmpty() throws IOException {
    assertThat(offline().downloadIfPresent(CONFIG_FILE)).isEmpty();
  }

  @Test
  void downloadIfPresent_repositoryMissing_isAnError() {
    assertThatThrownBy(() -> client().downloadIfPresent(RepoFile.of("no/body", "x")))
        .isInstanceOf(RepositoryNotFoundException.class);
  }

  // tokens

  @Test
  void download_withToken_sendsItToTheHubOnly() throws IOException {
    hub.requireToken(REPO, "hf_secret");

    HubClient.of(hub.client(cache).token("hf_secret")).download(WEIGHTS_FILE);

    assertThat(hub.tokenLeaks()).isEmpty();
    assertThat(hub.requests())
        .filteredOn(r -> r.server().equals("hub"))
        .isNotEmpty()
        .allMatch(r -> r.token().equals(java.util.Optional.of("Bearer hf_secret")));
  }

  @Test
  void download_getRedirectedAway_dropsTheToken() throws IOException {
    // A small file whose GET is redirected although HEAD was not.
    hub.bodyFaults(new Fault.Status(302, Map.of("Location", cdnAddress())));

    assertThat(HubClient.of(hub.client(cache).token("hf_secret")).download(CONFIG_FILE))
        .hasBinaryContent(SMALL);
    assertThat(hub.requests()).anyMatch(r -> r.server().equals("cdn"));
    assertThat(hub.tokenLeaks()).isEmpty();
  }

  private String cdnAddress() throws IOException {
    hub.lfs(REPO, "twin.bin", SMALL);
    client().download(RepoFile.of(REPO, "twin.bin"));
    hub.resetCounts();
    return "http://127.0.0.1:"
        + hub.cdnPort()
        + "/"
        + FakeContent.of(SMALL).etag(true)
        + "?signature=0";
  }

  @Test
  void download_privateWithoutToken_tellsToSetOne() {
    hub.requireToken(REPO, "hf_secret");

    assertThatThrownBy(() -> client().download(CONFIG_FILE))
        .isInstanceOf(RepositoryNotFoundException.class)
        .hasMessageContaining("private or gated")
        .hasMessageContaining("HF_TOKEN")
        .hasMessageContaining("no token was sent");
  }

  @Test
  void download_wrongToken_isToldWithoutShowingIt() {
    hub.requireToken(REPO, "hf_secret");
    HubClient client = HubClient.of(hub.client(cache).token("hf_mistyped"));

    assertThatThrownBy(() -> client.download(CONFIG_FILE))
        .isInstanceOf(BadTokenException.class)
        .hasMessageContaining("/settings/tokens")
        .hasMessageNotContaining("hf_mistyped");
    assertThat(client.toString()).doesNotContain("hf_mistyped");
  }

  @Test
  void token_withBlank_isRefusedWithoutShowingIt() {
    HubOptions builder = hub.client(cache);

    assertThatThrownBy(() -> builder.token("hf_one two"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("holds a blank")
        .hasMessageNotContaining("hf_one");
  }

  @Test
  void download_gated_namesThePage() {
    hub.gate(REPO);
    URI page = URI.create(hub.endpoint() + "/owner/name");

    assertThatThrownBy(() -> client().download(CONFIG_FILE))
        .isInstanceOfSatisfying(
            GatedRepositoryException.class, e -> assertThat(e.page()).isEqualTo(page))
        .hasMessageContaining("accept its terms at " + page);
  }

  @Test
  void download_forbidden_tellsToGivePermission() {
    hub.everyHead(new Fault.Status(403, Map.of("X-Request-Id", "Root=1-2")));

    assertThatThrownBy(() -> client().download(CONFIG_FILE))
        .isInstanceOf(AccessForbiddenException.class)
        .hasMessageContaining("read permission")
        .hasMessageContaining("request Root=1-2");
  }

  // cache that cannot be written

  @Test
  void download_cacheBelowAFile_saysThatItCannotBeWritten() throws IOException {
    Path file = Files.writeString(cache.resolve("file"), "x");

    assertThatThrownBy(() -> HubClient.of(hub.client(file.resolve("cache"))).download(CONFIG_FILE))
        .isInstanceOf(CacheWriteException.class)
        .hasMessageContaining("HF_HUB_CACHE");
  }

  @Test
  void download_refCannotBeWritten_returnsTheCachedFile() throws IOException {
    Path path = client().download(new RepoFile(REPO, hub.commit(REPO, "main"), CONFIG));
    Files.writeString(repo().resolve("refs"), "a file where a folder should be");

    assertThat(client().download(CONFIG_FILE)).isEqualTo(path);
  }

  @Test
  void download_readOnlyCache_servesWhatItHasAndRefusesTheRest() throws IOException {
    FileSystems.assumePosixPermissions(cache);
    Path path = client().download(CONFIG_FILE);
    List<Path> folders;
    try (var walk = Files.walk(cache)) {
      folders = walk.filter(Files::isDirectory).toList();
    }
    try {
      for (Path folder : folders) {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("r-xr-xr-x"));
      }
      assumeThat(Files.isWritable(cache)).as("permissions bind this user").isFalse();

      assertThat(client().download(CONFIG_FILE)).isEqualTo(path);
      assertThatThrownBy(() -> client().download(WEIGHTS_FILE))
          .isInstanceOf(CacheWriteException.class);
    } finally {
      for (Path folder : folders) {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
      }
    }
  }

  @Test
  void download_diskFull_saysSoAndLeavesNothing() throws IOException {
    Path full = Path.of("/dev/full");
    assumeThat(full).as("a device that is always full").exists();
    client().download(CONFIG_FILE);
    Path part =
        repo().resolve("blobs/" + FakeContent.of(LARGE).etag(true) + ".matryoshka.incomplete");
    Files.createSymbolicLink(part, full);

    assertThatThrownBy(() -> client().download(WEIGHTS_FILE))
        .isInstanceOf(CacheWriteException.class)
        .hasMessageContaining("No space left on device")
        .hasMessageContaining("free some space");
    assertThat(client().findCached(WEIGHTS_FILE)).isEmpty();
    assertThat(part).doesNotExist();
    assertThat(client().download(WEIGHTS_FILE)).hasBinaryContent(LARGE);
  }

  private static List<Path> filesIn(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void pinned_pathOfADownload_namesItsCommit() throws IOException {
    hub.file("owner/name", "a/cfg.json", new byte[] {1});
    HubClient client = HubClient.of(hub.client(cache));
    RepoFile file = RepoFile.of("owner/name", "a/cfg.json");

    RepoFile pinned = client.pinned(file, client.download(file));

    assertThat(pinned)
        .isEqualTo(new RepoFile("owner/name", hub.commit("owner/name", "main"), "a/cfg.json"));
    assertThatThrownBy(() -> client.pinned(file, cache.resolve("a/cfg.json")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("owner/name@main: a/cfg.json");
  }

  @Test
  void download_partLeftOfABlobThatIsWhole_isDeleted() throws IOException {
    Path path = client().download(WEIGHTS_FILE);
    Path blob = path.toRealPath();
    Path part = blob.resolveSibling(blob.getFileName() + ".matryoshka.incomplete");
    RepoFile pinned = client().pinned(WEIGHTS_FILE, path);
    for (RepoFile file : List.of(WEIGHTS_FILE, pinned)) {
      Files.writeString(part, "half");
      client().download(file);
      assertThat(part).doesNotExist();
    }
  }

  @Test
  void refresh_shortFileOfACommit_isFetchedAgain() throws IOException {
    Path path = client().download(WEIGHTS_FILE);
    RepoFile pinned = client().pinned(WEIGHTS_FILE, path);
    Files.write(path.toRealPath(), new byte[10]);

    assertThat(client().download(pinned)).hasSize(10);
    assertThat(client().refresh(pinned)).isEqualTo(path).hasBinaryContent(LARGE);
  }

  @Test
  void refresh_offline_isTheCachedFile() throws IOException {
    Path path = client().download(WEIGHTS_FILE);

    assertThat(offline().refresh(WEIGHTS_FILE)).isEqualTo(path);
  }

  @Test
  void download_plain404_isNoSuchFile() {
    hub.everyHead(new Fault.Status(404, Map.of()));

    assertThatThrownBy(() -> client().download(CONFIG_FILE))
        .isInstanceOf(EntryNotFoundException.class)
        .hasMessageContaining("no such file '" + CONFIG_FILE.filename() + "'")
        .hasMessageContaining("HF_ENDPOINT");
  }

  @Test
  void downloadIfPresent_plain404_isEmpty() throws IOException {
    hub.everyHead(new Fault.Status(404, Map.of()));

    assertThat(client().downloadIfPresent(CONFIG_FILE)).isEmpty();
  }

  /** A mirror that has lost a repository must not take away what is cached. */
  @Test
  void download_plain404_isServedFromTheCache() throws IOException {
    Path path = client().download(CONFIG_FILE);
    hub.everyHead(new Fault.Status(404, Map.of()));

    assertThat(client().download(CONFIG_FILE)).isEqualTo(path);
  }

  @Test
  void download_commitWithoutItsHeader_isStoredUnderIt() throws IOException {
    String commit = "b".repeat(40);
    try (LoopbackServer mirror =
        new LoopbackServer(
            "127.0.0.1",
            (request, response) -> {
              var out =
                  response.start(
                      200, LoopbackServer.headers("ETag", "\"x\"", "Content-Length", "2"));
              if (request.method().equals("GET")) {
                out.write(new byte[] {'{', '}'});
              }
              return true;
            })) {
      HubClient client = HubClient.of(hub.client(cache).endpoint(mirror.uri()));
      Path path = client.download(new RepoFile("owner/name", commit, "cfg.json"));
      assertThat(path).hasContent("{}");
      assertThat(path.toString()).contains(commit);
      assertThatThrownBy(() -> client.download(RepoFile.of("owner/name", "cfg.json")))
          .isInstanceOf(HubException.class)
          .hasMessageContaining("40 digits of a commit");
    }
  }
}
