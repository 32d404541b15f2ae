package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.matryoshka.sae.hub.CacheProblem.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubCacheTest {
  private static final String REPO = "owner/name";
  private static final byte[] CONFIG = "{}".getBytes(StandardCharsets.UTF_8);
  private static final byte[] WEIGHTS = HubClientTest.randomBytes(50_000);

  @TempDir Path cacheDir;
  private FakeHub hub;
  private HubCache cache;

  @BeforeEach
  void fillCache() throws IOException {
    FileSystems.assumeLinks(cacheDir);
    hub = FakeHub.start().file(REPO, "a/cfg.json", CONFIG).lfs(REPO, "a/w.safetensors", WEIGHTS);
    HubClient client = HubClient.of(hub.client(cacheDir));
    client.download(RepoFile.of(REPO, "a/cfg.json"));
    client.download(RepoFile.of(REPO, "a/w.safetensors"));
    cache = new HubCache(cacheDir);
  }

  @AfterEach
  void stopHub() throws IOException {
    if (hub != null) {
      hub.close();
    }
  }

  private Path blob(byte[] content, boolean lfs) {
    return cacheDir.resolve("models--owner--name/blobs/" + FakeContent.of(content).etag(lfs));
  }

  // list

  @Test
  void repos_filledCache_listsRevisionsAndFilesWithSizes() throws IOException {
    assertThat(cache.repos()).hasSize(1);
    CachedRepo repo = cache.repos().get(0);
    assertThat(repo.type()).isEqualTo("model");
    assertThat(repo.repoId()).isEqualTo(REPO);
    assertThat(repo.sizeBytes()).isEqualTo(CONFIG.length + WEIGHTS.length);
    assertThat(repo.revisions()).hasSize(1);
    CachedRevision revision = repo.revisions().get(0);
    assertThat(revision.commit()).isEqualTo(hub.commit(REPO, "main"));
    assertThat(revision.refs()).containsExactly("main");
    assertThat(revision.files())
        .extracting(CachedFile::filename, CachedFile::sizeBytes)
        .containsExactly(
            tuple("a/cfg.json", (long) CONFIG.length),
            tuple("a/w.safetensors", (long) WEIGHTS.length));
  }

  @Test
  void repos_contentSharedByRevisions_countsOnce() throws IOException {
    hub.file(REPO, "new.txt", CONFIG);
    HubClient.of(hub.client(cacheDir)).download(RepoFile.of(REPO, "a/w.safetensors"));

    assertThat(cache.repos().get(0).revisions()).hasSize(2);
    assertThat(cache.repos().get(0).sizeBytes()).isEqualTo(CONFIG.length + WEIGHTS.length);
  }

  @Test
  void repos_noCacheFolder_isEmpty() throws IOException {
    assertThat(new HubCache(cacheDir.resolve("none")).repos()).isEmpty();
  }

  @Test
  void repos_fileInsteadOfFolder_isAnError() throws IOException {
    HubCache wrong = new HubCache(Files.writeString(cacheDir.resolve("file"), "x"));

    assertThatThrownBy(wrong::repos).isInstanceOf(NotDirectoryException.class);
  }

  @Test
  void repos_unknownEntries_areIgnored() throws IOException {
    Files.createDirectories(cacheDir.resolve("blobs/xet"));
    Files.createDirectories(cacheDir.resolve("models--owner--name/trees"));

    assertThat(cache.repos()).hasSize(1);
    assertThat(cache.verify().problems()).isEmpty();
  }

  // find

  @Test
  void find_storedFile_returnsItsPath() {
    assertThat(cache.find(RepoFile.of(REPO, "a/cfg.json")))
        .hasValueSatisfying(path -> assertThat(path).hasBinaryContent(CONFIG));
    assertThat(cache.find(RepoFile.of(REPO, "a/other.json"))).isEmpty();
  }

  // verify

  @Test
  void verify_soundCache_countsAllFiles() throws IOException {
    CacheVerification result = cache.verify();

    assertThat(result.isSound()).isTrue();
    assertThat(result.problems()).isEmpty();
    assertThat(result.verifiedFiles()).isEqualTo(2);
    assertThat(result.verifiedBytes()).isEqualTo(CONFIG.length + WEIGHTS.length);
    assertThat(result.unverifiableFiles()).isZero();
  }

  @Test
  void verify_changedByte_isCorrupt() throws IOException {
    byte[] damaged = WEIGHTS.clone();
    damaged[123]++;
    Files.write(blob(WEIGHTS, true), damaged);
    Files.writeString(blob(CONFIG, false), "[]");

    CacheVerification result = cache.verify();

    assertThat(result.isSound()).isFalse();
    assertThat(result.problems())
        .extracting(CacheProblem::kind, CacheProblem::path)
        .containsExactlyInAnyOrder(
            tuple(Kind.CORRUPT, blob(WEIGHTS, true)), tuple(Kind.CORRUPT, blob(CONFIG, false)));
    assertThat(result.problems().get(0).detail()).startsWith("expected hash ");
  }

  @Test
  void verify_missingBlob_isDangling() throws IOException {
    Files.delete(blob(WEIGHTS, true));

    CacheVerification result = cache.verify();

    assertThat(result.problems()).extracting(CacheProblem::kind).containsExactly(Kind.DANGLING);
    assertThat(result.problems().get(0).path()).endsWithRaw(Path.of("a/w.safetensors"));
    assertThat(cache.repos().get(0).revisions().get(0).files())
        .extracting(CachedFile::complete)
        .containsExactly(true, false);
  }

  @Test
  void verify_unfinishedDownload_isToldButSound() throws IOException {
    Files.writeString(blob(WEIGHTS, true).resolveSibling("x.12345678.incomplete"), "half");

    CacheVerification result = cache.verify();

    assertThat(result.problems()).extracting(CacheProblem::kind).containsExactly(Kind.UNFINISHED);
    assertThat(result.isSound()).isTrue();
  }

  @Test
  void verify_otherRepositoriesOnly_leavesThisOneOut() throws IOException {
    Files.delete(blob(WEIGHTS, true));

    assertThat(cache.verify("some/other"::equals).problems()).isEmpty();
  }

  @Test
  void verify_refToNothing_isMissingRevision() throws IOException {
    Files.writeString(cacheDir.resolve("models--owner--name/refs/dev"), "0".repeat(40));

    assertThat(cache.verify().problems())
        .extracting(CacheProblem::kind)
        .containsExactly(Kind.MISSING_REVISION);
  }

  @Test
  void verify_copiesInsteadOfLinks_areUnverifiable() throws IOException {
    Path link = cache.find(RepoFile.of(REPO, "a/cfg.json")).orElseThrow();
    Files.delete(link);
    Files.write(link, CONFIG);

    assertThat(cache.verify().unverifiableFiles()).isEqualTo(1);
  }

  @Test
  void verify_partOfABlobThatIsWhole_isDeleted() throws IOException {
    Path whole = blob(WEIGHTS, true);
    Path part = whole.resolveSibling(whole.getFileName() + ".matryoshka.incomplete");
    Path note = part.resolveSibling(part.getFileName() + ".prefix.tmp");
    Files.writeString(part, "half");
    Files.writeString(note, "00000000000000000004");

    assertThat(cache.verify().problems()).isEmpty();
    assertThat(part).doesNotExist();
    assertThat(note).doesNotExist();
    assertThat(whole).exists();
  }

  @Test
  void repos_kernel_isListedWithItsType() throws IOException {
    Path snapshot = cacheDir.resolve("kernels--owner--fast/snapshots/" + "c".repeat(40));
    Files.writeString(Files.createDirectories(snapshot).resolve("a.py"), "1");

    assertThat(cache.repos())
        .filteredOn(repo -> repo.type().equals("kernel"))
        .extracting(CachedRepo::repoId)
        .containsExactly("owner/fast");
  }
}
