package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every fault ends in a complete, verified file or in a clear exception. */
class HubFaultTest {
  private static final Duration PATIENT = Duration.ofSeconds(30);
  private static final Duration IMPATIENT = Duration.ofMillis(600);
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

  /** One stream, or chunks over three connections; patient enough for a slow machine. */
  private HubClient client(boolean parallel) {
    return client(parallel, PATIENT);
  }

  private static boolean keepsWaiting(Fault fault) {
    return fault instanceof Fault.Stall || fault instanceof Fault.Silence;
  }

  private HubClient client(boolean parallel, Duration patience) {
    return HubClient.of(
        hub.client(cache)
            .token("hf_secret")
            .retries(2, Duration.ofMillis(2))
            .downloadTimeout(patience)
            .metadataTimeout(patience)
            .connections(parallel ? 3 : 1)
            .chunkBytes(CHUNK));
  }

  private static Stream<Fault> bodyFaults() {
    return Stream.of(
        new Fault.Cut(0),
        new Fault.Cut(1),
        new Fault.Cut(30_000),
        new Fault.Cut(SIZE - 1),
        new Fault.Stall(0),
        new Fault.Stall(45_000),
        new Fault.Silence(),
        new Fault.Drip(40_000, 3),
        new Fault.Reset(),
        new Fault.Status(408, Map.of()),
        new Fault.Status(429, Map.of("Retry-After", "0")),
        new Fault.Status(429, Map.of("Retry-After", "0.5 parsecs")),
        new Fault.Status(500, Map.of()),
        new Fault.Status(502, Map.of()),
        new Fault.Status(503, Map.of("Retry-After", "0")),
        new Fault.Status(416, Map.of()),
        new Fault.Status(403, Map.of()),
        new Fault.Status(404, Map.of()),
        new Fault.Status(204, Map.of()),
        new Fault.Status(302, Map.of()),
        new Fault.Status(302, Map.of("Location", "ftp://127.0.0.1/x")),
        new Fault.Status(302, Map.of("Location", "http://[bad")),
        new Fault.WrongLength(10),
        new Fault.WrongLength(-10),
        new Fault.Endless(),
        new Fault.Corrupt(0),
        new Fault.Corrupt(SIZE - 1),
        new Fault.IgnoreRange(),
        new Fault.WrongContentRange(),
        new Fault.NoContentRange(),
        new Fault.WrongTotal(1),
        new Fault.WrongTotal(-1),
        new Fault.RedirectLoop(),
        new Fault.Encoded());
  }

  private static Stream<Arguments> faultsOnceAndForever() {
    return bodyFaults()
        .flatMap(
            fault ->
                Stream.of(false, true)
                    .flatMap(
                        parallel ->
                            Stream.of(0, 2, -1)
                                .map(position -> Arguments.of(fault, parallel, position))));
  }

  /** {@code position}: the answer at which the fault comes, or -1 for all of them. */
  @Tag("slow")
  @ParameterizedTest(name = "{0} parallel={1} at={2}")
  @MethodSource("faultsOnceAndForever")
  void download_anyFault_givesTheFileOrAClearException(Fault fault, boolean parallel, int position)
      throws IOException {
    if (position < 0) {
      hub.everyBody(fault);
    } else {
      hub.bodyFaults(before(fault, position));
    }

    HubClient client = client(parallel, keepsWaiting(fault) ? IMPATIENT : PATIENT);
    boolean arrived = tryDownload(client);

    assertThat(client.findCached(FILE).isPresent()).isEqualTo(arrived);
    assertThat(hub.tokenLeaks()).isEmpty();
    hub.behave();
    assertThat(client(parallel).download(FILE)).hasBinaryContent(CONTENT);
    assertThat(new HubCache(cache).verify().problems()).isEmpty();
  }

  /** Lets some answers pass by cutting them late, so that more answers are needed. */
  private static Fault[] before(Fault fault, int position) {
    List<Fault> faults = new ArrayList<>();
    for (int i = 0; i < position; i++) {
      faults.add(new Fault.Cut(40_000));
    }
    faults.add(fault);
    return faults.toArray(Fault[]::new);
  }

  private static boolean tryDownload(HubClient client) throws IOException {
    try {
      assertThat(client.download(FILE)).hasBinaryContent(CONTENT);
      return true;
    } catch (HubException e) {
      assertThat(e).hasMessageContaining("w.safetensors").message().hasSizeGreaterThan(60);
      return false;
    }
  }

  private static Stream<Fault> transientFaults() {
    return Stream.of(
        new Fault.Cut(0),
        new Fault.Cut(30_000),
        new Fault.Cut(SIZE - 1),
        new Fault.Stall(20_000),
        new Fault.Drip(40_000, 3),
        new Fault.Reset(),
        new Fault.Status(408, Map.of()),
        new Fault.Status(429, Map.of("Retry-After", "0")),
        new Fault.Status(503, Map.of()),
        new Fault.IgnoreRange());
  }

  private static Stream<Arguments> transientFaultsBothWays() {
    return transientFaults()
        .flatMap(fault -> Stream.of(false, true).map(parallel -> Arguments.of(fault, parallel)));
  }

  @ParameterizedTest(name = "{0} parallel={1}")
  @MethodSource("transientFaultsBothWays")
  void download_faultThatPasses_givesTheFile(Fault fault, boolean parallel) throws IOException {
    hub.bodyFaults(fault);
    Duration patience = keepsWaiting(fault) ? Duration.ofSeconds(2) : PATIENT;

    assertThat(client(parallel, patience).download(FILE)).hasBinaryContent(CONTENT);
  }

  // what each fault leads to

  @Test
  void download_cutAgainAndAgain_resumesWithoutFetchingTwice() throws IOException {
    hub.everyBody(new Fault.Cut(70_000));

    assertThat(client(false).download(FILE)).hasBinaryContent(CONTENT);
    // A break may overtake the last bytes before it, so the parts can overlap a little.
    assertThat(rangeStarts()).hasSizeGreaterThanOrEqualTo(6).startsWith(0L).isSorted();
    assertThat(rangeStarts()).last().isNotEqualTo(0L);
  }

  private List<Long> rangeStarts() {
    return hub.requests().stream()
        .filter(r -> r.server().equals("cdn"))
        .map(r -> r.range().map(range -> range.replaceAll("bytes=|-.*", "")).orElse("0"))
        .map(Long::valueOf)
        .toList();
  }

  @Test
  void download_cutOnAServerWithoutRanges_givesUpAfterTheRetries() {
    // Each answer starts at byte 0 again and never gets further: that is no progress.
    hub.everyBody(new Fault.CutWithoutRanges(1));

    assertThatThrownBy(() -> client(false).download(FILE))
        .isInstanceOf(HubUnavailableException.class)
        .hasMessageContaining("connection lost");
    // A break may overtake the byte before it, so that not the first but a later answer brings it.
    assertThat(hub.count("GET")).isBetween(3L, 5L);
  }

  @Test
  void download_closedBeforeTheAnswer_saysThatTheConnectionIsLost() {
    hub.everyBody(new Fault.Reset());

    assertThatThrownBy(() -> client(false).download(FILE))
        .isInstanceOf(HubUnavailableException.class)
        .hasMessageContaining("connection lost");
  }

  @Test
  void download_wrongHash_saysBothHashes() {
    hub.everyBody(new Fault.Corrupt(5));

    assertThatThrownBy(() -> client(false).download(FILE))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("expected content with hash " + FakeContent.of(CONTENT).etag(true))
        .hasMessageContaining("nothing was kept");
  }

  @Test
  void download_smallFileWithWrongHash_isRefused() {
    hub.file(REPO, "cfg.json", new byte[] {1, 2, 3}).everyBody(new Fault.Corrupt(1));

    assertThatThrownBy(() -> client(false).download(RepoFile.of(REPO, "cfg.json")))
        .isInstanceOf(IntegrityException.class);
  }

  @Test
  void download_otherLength_saysBothLengths() {
    hub.everyBody(new Fault.WrongLength(10));

    assertThatThrownBy(() -> client(false).download(FILE))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("announced 400000 bytes, the server has 400010");
  }

  @Test
  void download_moreBytesThanAnnounced_stopsEarly() {
    hub.everyBody(new Fault.Endless());

    assertThatThrownBy(() -> client(false).download(FILE))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("got more");
  }

  @Test
  void download_stalledForever_saysThatNothingCame() {
    hub.everyBody(new Fault.Stall(0));

    assertThatThrownBy(() -> client(false, IMPATIENT).download(FILE))
        .isInstanceOf(HubUnavailableException.class)
        .hasMessageContaining("no data for 600 ms");
  }

  @Test
  void download_acceptedButNeverAnswered_saysThatNothingCame() {
    hub.everyBody(new Fault.Silence());

    assertThatThrownBy(() -> client(false, IMPATIENT).download(FILE))
        .isInstanceOf(HubUnavailableException.class)
        .hasMessageContaining("request timed out")
        .hasMessageContaining("check the network");
  }

  @Test
  void download_rateLimitLongerThanAccepted_saysHowLong() {
    hub.everyBody(new Fault.Status(429, Map.of("Retry-After", "4000")));
    HubClient anonymous = HubClient.of(hub.client(cache));

    assertThatThrownBy(() -> anonymous.download(FILE))
        .isInstanceOfSatisfying(
            RateLimitedException.class,
            e -> assertThat(e.retryAfter()).contains(Duration.ofSeconds(4000)))
        .hasMessageContaining("try again in 4000 s")
        .hasMessageContaining("HF_TOKEN");
    assertThat(hub.count("GET")).isEqualTo(1);
  }

  @Test
  void download_rateLimitWithShortWait_waitsAsTold() throws IOException {
    hub.bodyFaults(new Fault.Status(429, Map.of("Retry-After", "1")));
    long start = System.nanoTime();

    client(false).download(FILE);

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(990));
  }

  @Test
  void download_redirectLoop_isGivenUp() {
    hub.everyHead(new Fault.RedirectLoop());

    assertThatThrownBy(() -> client(false).download(FILE))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("redirected more than 20 times");
  }

  @Test
  void download_headFailsOnce_isAskedAgain() throws IOException {
    for (Fault fault : List.of(new Fault.Reset(), new Fault.Status(503, Map.of()))) {
      hub.headFaults(fault);
      assertThat(client(false).download(FILE)).hasBinaryContent(CONTENT);
    }
  }

  @Test
  void download_headStalls_usesTheCache() throws IOException {
    Path path = client(false).download(FILE);
    hub.everyHead(new Fault.Stall(0));

    assertThat(client(false, IMPATIENT).download(FILE)).isEqualTo(path);
  }

  @Test
  void download_signedAddressExpired_asksForAFreshOne() throws IOException {
    hub.bodyFaults(new Fault.Cut(100_000));
    HubClient client =
        HubClient.of(hub.client(cache).connections(1).progress(p -> expireAtStart(p)));

    assertThat(client.download(FILE)).hasBinaryContent(CONTENT);
    assertThat(hub.count("HEAD")).isEqualTo(2);
  }

  private void expireAtStart(DownloadProgress progress) {
    if (progress.phase() == DownloadProgress.Phase.STARTED) {
      hub.expireSignatures();
    }
  }

  // what an interrupted download leaves

  @Test
  void download_afterAFailedOne_resumesWhereItStopped() throws IOException {
    hub.bodyFaults(new Fault.Cut(300_000)).everyBody(new Fault.Reset());
    assertThatThrownBy(() -> client(false).download(FILE))
        .isInstanceOf(HubUnavailableException.class);
    hub.behave().resetCounts();

    assertThat(client(false).download(FILE)).hasBinaryContent(CONTENT);
    assertThat(rangeStarts()).hasSize(1).allMatch(start -> start > 0);
  }

  @Test
  void download_afterAFailedParallelOne_resumesWhereItHasNoGaps() throws IOException {
    hub.bodyFaults(drips(4)).everyBody(new Fault.Status(503, Map.of()));
    assertThatThrownBy(() -> client(true).download(FILE))
        .isInstanceOf(HubUnavailableException.class);
    hub.behave().resetCounts();

    assertThat(client(true).download(FILE)).hasBinaryContent(CONTENT);
    assertThat(hub.bodyBytes()).isLessThanOrEqualTo(SIZE - CHUNK);
  }

  private static Fault[] drips(int count) {
    return Stream.generate(() -> new Fault.Drip(CHUNK, 0)).limit(count).toArray(Fault[]::new);
  }

  @Test
  void download_damagedRest_isFetchedAnew() throws IOException {
    Path part = leaveRest(new byte[200_000]);

    assertThat(client(false).download(FILE)).hasBinaryContent(CONTENT);
    assertThat(part).doesNotExist();
  }

  @Test
  void download_restLongerThanTheFile_isFetchedAnew() throws IOException {
    leaveRest(new byte[SIZE + 1]);

    assertThat(client(false).download(FILE)).hasBinaryContent(CONTENT);
  }

  @Test
  void download_completeRest_needsNoRequestForTheBody() throws IOException {
    leaveRest(CONTENT);

    assertThat(client(false).download(FILE)).hasBinaryContent(CONTENT);
    assertThat(hub.bodyBytes()).isZero();
  }

  @Test
  void download_restOfPython_isLeftAlone() throws IOException {
    Path part = leaveRest(new byte[10]);
    Path theirs = part.resolveSibling(FakeContent.of(CONTENT).etag(true) + ".incomplete");
    Files.move(part, theirs);

    assertThat(client(false).download(FILE)).hasBinaryContent(CONTENT);
    assertThat(theirs).hasSize(10);
  }

  private Path leaveRest(byte[] bytes) throws IOException {
    Path blobs = Files.createDirectories(cache.resolve("models--owner--name/blobs"));
    String etag = FakeContent.of(CONTENT).etag(true);
    return Files.write(blobs.resolve(etag + ".matryoshka.incomplete"), bytes);
  }

  /** As {@code hf cache prune} does, which knows nothing of a running download. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void download_partFileDeletedMeanwhile_losesNothing(boolean parallel) throws IOException {
    HubClient client =
        HubClient.of(
            hub.client(cache)
                .connections(parallel ? 3 : 1)
                .chunkBytes(CHUNK)
                .progress(progress -> deleteParts()));
    assertThat(client.download(FILE)).hasBinaryContent(CONTENT);
    assertThat(hub.bodyBytes()).isEqualTo(SIZE);
  }

  private void deleteParts() {
    try (Stream<Path> files = Files.walk(cache)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".incomplete")).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
