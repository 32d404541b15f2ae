package io.matryoshka.sae.internal.fetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.DemoReferenceTest;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.hub.DownloadProgress;
import io.matryoshka.sae.hub.FakeHub;
import io.matryoshka.sae.hub.Fault;
import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.IntegrityException;
import io.matryoshka.sae.hub.NotCachedException;
import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.internal.bench.SyntheticSae;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.support.OwnCache;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Loading a prefix from a server that behaves as the Hub, against the view of the whole SAE. */
class PrefixDownloadTest {

  private static final String REPO = "owner/name";
  private static final String FOLDER = "saes/one";
  private static final String WEIGHTS = FOLDER + "/" + SaeFiles.WEIGHTS;
  private static final int D_IN = 64;
  private static final int D_SAE = 32768;
  private static final SyntheticSae SYNTHETIC = new SyntheticSae(D_IN, D_SAE, 7);

  @TempDir static Path source;
  private static long wholeBytes;

  @TempDir Path hubCache;
  @TempDir Path ownCache;
  private FakeHub hub;
  private OwnCache cache;

  @BeforeAll
  static void makeSae() throws IOException {
    SYNTHETIC.write(source);
    wholeBytes = Files.size(source.resolve(SaeFiles.WEIGHTS));
    float[] sparsity = new float[D_SAE];
    for (int i = 0; i < D_SAE; i++) {
      sparsity[i] = -i / 10_000f;
    }
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("sparsity", Dtype.F32, D_SAE)
            .create(source.resolve(SaeFiles.SPARSITY))) {
      writer.writeFloats("sparsity", sparsity);
      writer.finish();
    }
  }

  @BeforeEach
  void startHub() throws IOException {
    cache = OwnCache.in(ownCache);
    hub = FakeHub.start();
    for (String name : List.of(SaeFiles.CONFIG, SaeFiles.SPARSITY)) {
      hub.file(REPO, FOLDER + "/" + name, Files.readAllBytes(source.resolve(name)));
    }
    hub.lfs(REPO, WEIGHTS, source.resolve(SaeFiles.WEIGHTS));
  }

  @AfterEach
  void stopHub() throws IOException {
    cache.close();
    hub.close();
  }

  private LoadOptions options(int width) {
    return LoadOptions.defaults().endpoint(hub.endpoint()).cacheDir(hubCache).prefix(width);
  }

  private SAE load(int width) throws IOException {
    return SAE.fromPretrained(REPO, FOLDER, options(width));
  }

  /** The part of a client that repeats failed requests without long waits. */
  private PrefixDownload part(HubClient client) throws IOException {
    Path config = source.resolve(SaeFiles.CONFIG);
    RepoFile weights = new RepoFile(REPO, hub.commit(REPO, "main"), WEIGHTS);
    return new PrefixDownload(client, weights, PrefixSource.ofSaeLens(config), ownCache);
  }

  private HubClient client() {
    return HubClient.of(hub.client(hubCache).downloadTimeout(Duration.ofSeconds(2)));
  }

  private List<Path> inOwnCache(String glob) throws IOException {
    try (Stream<Path> files = Files.walk(ownCache)) {
      return files.filter(p -> p.getFileName().toString().matches(glob)).toList();
    }
  }

  private static void assertIsPrefix(SAE part, int width, LoadOptions.Engine engine)
      throws IOException {
    float[] x = SYNTHETIC.tokens(0, 40);
    try (SAE whole = SAE.load(source, LoadOptions.defaults().engine(engine));
        SAE view = whole.prefix(width)) {
      SparseLatents expected = view.encodeSparse(x);
      SparseLatents got = part.encodeSparse(x);
      assertThat(expected.activeCount()).isPositive();
      assertThat(got.rowOffsets()).isEqualTo(expected.rowOffsets());
      assertThat(got.latents()).isEqualTo(expected.latents());
      if (engine == LoadOptions.Engine.FAST) {
        assertThat(got.activations()).isEqualTo(expected.activations());
        assertThat(part.decode(got)).isEqualTo(view.decode(expected));
      } else { // A product over a narrower matrix may be summed in another order.
        DemoReferenceTest.assertClose(got.activations(), expected.activations());
        DemoReferenceTest.assertClose(part.decode(got), view.decode(expected));
      }
      assertThat(part.dSae()).isEqualTo(width);
      assertThat(part.widths()).isEqualTo(view.widths());
      assertThat(part.thresholds()).isEqualTo(view.thresholds());
      assertThat(part.encoderBias()).isEqualTo(view.encoderBias());
      assertThat(part.decoderBias()).isEqualTo(view.decoderBias());
      assertThat(part.decoderRows(0, width)).isEqualTo(view.decoderRows(0, width));
      assertThat(part.encoderRows(0, width)).isEqualTo(view.encoderRows(0, width));
      assertThat(part.config().dSae()).isEqualTo(D_SAE);
    }
  }

  // What is fetched

  @ParameterizedTest
  @EnumSource(LoadOptions.Engine.class)
  void fromPretrained_prefix_isTheViewOfTheWholeSae(LoadOptions.Engine engine) throws IOException {
    try (SAE part = SAE.fromPretrained(REPO, FOLDER, options(2048).engine(engine))) {
      assertIsPrefix(part, 2048, engine);
      assertThat(part.widths()).containsExactly(128, 512, 2048);
      assertThat(part.weightBytes()).isEqualTo(2L * part.dIn() * 2048 * Float.BYTES);
      assertThat(part.logSparsity().orElseThrow()).hasSize(2048).contains(0f, -0.2047f);
      try (SAE narrower = part.prefix(100)) {
        assertIsPrefix(narrower, 100, engine);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 128, 2048})
  void fromPretrained_prefix_fetchesItsBytesOnly(int width) throws IOException {
    try (SAE part = load(width)) {
      assertThat(part.dSae()).isEqualTo(width);
    }
    long sparsity = Files.size(source.resolve(SaeFiles.SPARSITY));
    long needed = 2L * width * D_IN * Float.BYTES + 2L * width * Float.BYTES + D_IN * Float.BYTES;
    long headers = 40_000;
    assertThat(hub.bodyBytes()).isBetween(sparsity + needed, sparsity + needed + headers);
    assertThat(hub.bodyBytes()).isLessThan(wholeBytes / 10);
    assertThat(hub.tokenLeaks()).isEmpty();
  }

  @Test
  void fromPretrained_prefix_leavesNoWeightsInPythonsCache() throws IOException {
    load(128).close();

    try (Stream<Path> files = Files.walk(hubCache)) {
      assertThat(files.map(p -> p.getFileName().toString()).toList())
          .contains(SaeFiles.CONFIG, SaeFiles.SPARSITY)
          .doesNotContain(SaeFiles.WEIGHTS);
    }
    try (Stream<Path> files = Files.walk(hubCache)) {
      assertThat(files.filter(Files::isRegularFile))
          .allSatisfy(file -> assertThat(Files.size(file)).isLessThan(200_000));
    }
  }

  @Test
  void fromPretrained_prefixOfMostLatents_fetchesTheWholeFile() throws IOException {
    try (SAE sae = load(16_384)) {
      assertThat(sae.dSae()).isEqualTo(16_384);
    }
    assertThat(hub.bodyBytes()).isGreaterThanOrEqualTo(wholeBytes);
    assertThat(client().findCached(RepoFile.of(REPO, WEIGHTS))).isPresent();
    assertThat(inOwnCache("prefix-.*")).isEmpty();
  }

  @Test
  void fromPretrained_wholeFileCached_isUsed() throws IOException {
    client().download(RepoFile.of(REPO, WEIGHTS));
    hub.resetCounts();

    load(128).close();

    assertThat(hub.bodyBytes()).isLessThan(200_000);
    assertThat(inOwnCache("prefix-.*")).isEmpty();
  }

  @Test
  void fromPretrained_widthOutOfRange_isRefusedBeforeTheWeightsAreFetched() {
    assertThatThrownBy(() -> load(D_SAE + 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("prefix width must lie in 1..32768, got 32769");
    assertThat(hub.requests()).noneMatch(r -> r.path().endsWith(SaeFiles.WEIGHTS));
  }

  @Test
  void fromPretrained_rowsCloseTogether_areReadWithTheGaps(@TempDir Path folder)
      throws IOException {
    SyntheticSae wide = new SyntheticSae(512, 4096, 3);
    wide.write(folder);
    hub.file("o/wide", SaeFiles.CONFIG, Files.readAllBytes(folder.resolve(SaeFiles.CONFIG)));
    hub.lfs("o/wide", SaeFiles.WEIGHTS, folder.resolve(SaeFiles.WEIGHTS));
    long encoder = 512L * 4096 * Float.BYTES;

    try (SAE part = SAE.fromPretrained("o/wide", "", options(128));
        SAE whole = SAE.load(folder, LoadOptions.defaults().prefix(128))) {
      assertThat(part.encoderRows(0, 128)).isEqualTo(whole.encoderRows(0, 128));
      assertThat(part.decoderRows(0, 128)).isEqualTo(whole.decoderRows(0, 128));
    }
    assertThat(hub.bodyBytes()).isBetween(encoder - 4096 * Float.BYTES, encoder + 400_000);
    assertThat(hub.count("GET")).isLessThan(20);
  }

  // The folder

  @Test
  void folder_ofAPart_isAnSaeFolderThatSaysWhereItIsFrom() throws IOException {
    load(512).close();

    Path folder = inOwnCache("prefix-512").get(0);
    try (SAE sae = SAE.load(folder)) {
      assertThat(sae.dSae()).isEqualTo(512);
      assertThat(sae.config().dSae()).isEqualTo(512);
      assertThat(sae.widths()).containsExactly(128, 512);
    }
    JsonNode from =
        new ObjectMapper()
            .readTree(folder.resolve(SaeFiles.CONFIG).toFile())
            .path("metadata")
            .path(PrefixDownload.PART_OF);
    assertThat(from.path("repo").asText()).isEqualTo(REPO);
    assertThat(from.path("commit").asText()).isEqualTo(hub.commit(REPO, "main"));
    assertThat(from.path("file").asText()).isEqualTo(WEIGHTS);
    assertThat(from.path("etag").asText()).hasSize(64);
    assertThat(from.path("d_sae").asInt()).isEqualTo(D_SAE);
  }

  @Test
  void load_again_asksForNothingOfTheWeights() throws IOException {
    load(512).close();
    hub.resetCounts();

    load(512).close();
    assertThat(hub.bodyBytes()).isZero();
    assertThat(hub.requests()).noneMatch(r -> r.path().endsWith(SaeFiles.WEIGHTS));

    hub.resetCounts();
    String commit = hub.commit(REPO, "main");
    try (SAE part = SAE.fromPretrained(REPO, FOLDER, options(512).revision(commit))) {
      assertThat(part.dSae()).isEqualTo(512);
    }
    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void load_narrowerThanAPart_usesIt() throws IOException {
    load(2048).close();
    hub.resetCounts();

    try (SAE part = load(300)) {
      assertIsPrefix(part, 300, LoadOptions.Engine.FAST);
    }
    assertThat(hub.bodyBytes()).isZero();
    assertThat(inOwnCache("prefix-.*")).hasSize(1);
  }

  @Test
  void load_offline_usesThePartOrSaysWhatIsMissing() throws IOException {
    load(512).close();
    hub.close();

    try (SAE part = SAE.fromPretrained(REPO, FOLDER, options(128).offline(true))) {
      assertIsPrefix(part, 128, LoadOptions.Engine.FAST);
    }
    assertThatThrownBy(() -> SAE.fromPretrained(REPO, FOLDER, options(2048).offline(true)))
        .isInstanceOf(NotCachedException.class)
        .hasMessageContaining(WEIGHTS)
        .hasMessageContaining("unset HF_HUB_OFFLINE or download it first");
  }

  @Test
  void load_forced_fetchesAgain() throws IOException {
    load(512).close();
    Path weights = inOwnCache(SaeFiles.WEIGHTS).get(0);
    Files.setLastModifiedTime(weights, FileTime.from(Instant.EPOCH));
    hub.resetCounts();

    try (SAE part = SAE.fromPretrained(REPO, FOLDER, options(512).forceDownload(true))) {
      assertIsPrefix(part, 512, LoadOptions.Engine.FAST);
    }
    assertThat(hub.bodyBytes()).isGreaterThan(2L * 512 * D_IN * Float.BYTES);
    assertThat(Files.getLastModifiedTime(weights).toInstant()).isAfter(Instant.EPOCH);
    assertThat(inOwnCache(".*\\.part")).isEmpty();
  }

  @Test
  void load_newCommit_isAPartOfItsOwn() throws IOException {
    load(128).close();
    byte[] other = Files.readAllBytes(source.resolve(SaeFiles.WEIGHTS));
    other[other.length - 1] ^= 1;
    hub.lfs(REPO, WEIGHTS, other);

    load(128).close();

    assertThat(inOwnCache("prefix-128")).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"flip", "shorten", "remove", "record"})
  void load_damagedPart_isNoticedAndFetchedAgain(String damage) throws IOException {
    load(512).close();
    Path weights = inOwnCache(SaeFiles.WEIGHTS).get(0);
    switch (damage) {
      case "flip" -> {
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length / 2] ^= 4;
        Files.write(weights, bytes);
      }
      case "shorten" -> {
        try (FileChannel channel = FileChannel.open(weights, StandardOpenOption.WRITE)) {
          channel.truncate(channel.size() - 1);
        }
      }
      case "remove" -> Files.delete(weights);
      default -> Files.writeString(weights.resolveSibling(PrefixRecord.NAME), "{\"width\": ");
    }
    assertThatThrownBy(() -> SAE.fromPretrained(REPO, FOLDER, options(512).offline(true)))
        .isInstanceOf(NotCachedException.class);

    try (SAE part = load(512)) {
      assertIsPrefix(part, 512, LoadOptions.Engine.FAST);
    }
    assertThat(inOwnCache("prefix-512")).hasSize(1);
    assertThat(inOwnCache(".*\\.part")).isEmpty();
  }

  @Test
  void load_whatAKilledProcessLeft_isNotTakenForAPart() throws IOException {
    load(512).close();
    Path complete = inOwnCache("prefix-512").get(0);
    Path broken = complete.resolveSibling(".prefix-512.0123.part");
    Files.move(complete, broken);
    Files.delete(broken.resolve(PrefixRecord.NAME));
    Files.setLastModifiedTime(broken, FileTime.from(Instant.now().minus(Duration.ofDays(2))));
    hub.resetCounts();

    load(512).close();

    assertThat(hub.bodyBytes()).isGreaterThan(2L * 512 * D_IN * Float.BYTES);
    assertThat(broken).doesNotExist();
  }

  @Test
  @SuppressWarnings("try") // The setting does its work by being open.
  void load_cacheThatCannotBeWritten_fetchesTheWholeFile() throws IOException {
    Path file = Files.createFile(ownCache.resolve("file"));

    try (OwnCache broken = OwnCache.in(file);
        SAE part = SAE.fromPretrained(REPO, FOLDER, options(128).preparedCache(false))) {
      assertIsPrefix(part, 128, LoadOptions.Engine.FAST);
    }
    assertThat(client().findCached(RepoFile.of(REPO, WEIGHTS))).isPresent();
  }

  // Faults

  @Test
  void folder_brokenConnections_goesOn() throws IOException {
    hub.bodyFaults(
        new Fault.Cut(100),
        new Fault.Reset(),
        new Fault.Status(503, Map.of()),
        new Fault.Cut(3),
        new Fault.Stall(50),
        new Fault.Status(429, Map.of("Retry-After", "0")));

    Path folder = part(client()).folder(512, false).orElseThrow();

    try (SAE part = SAE.load(folder);
        SAE whole = SAE.load(source, LoadOptions.defaults().prefix(512))) {
      assertThat(part.encoderRows(0, 512)).isEqualTo(whole.encoderRows(0, 512));
      assertThat(part.decoderRows(0, 512)).isEqualTo(whole.decoderRows(0, 512));
    }
  }

  @Test
  void folder_serverGone_failsAndLeavesNothing() throws IOException {
    PrefixDownload part = part(client());
    hub.bodyFaults(new Fault.Drip(100_000, 0), new Fault.Drip(100_000, 0));
    hub.everyBody(new Fault.Status(503, Map.of()));

    assertThatThrownBy(() -> part.folder(512, false))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(WEIGHTS);
    assertThat(inOwnCache("prefix-.*|.*\\.part|" + SaeFiles.WEIGHTS)).isEmpty();

    hub.behave();
    assertThat(part.folder(512, false)).isPresent();
  }

  @Test
  void fromPretrained_serverWithoutRanges_fetchesTheWholeFile() throws IOException {
    hub.everyBody(new Fault.IgnoreRange());

    try (SAE part = load(128)) {
      assertIsPrefix(part, 128, LoadOptions.Engine.FAST);
    }
    assertThat(client().findCached(RepoFile.of(REPO, WEIGHTS))).isPresent();
    assertThat(inOwnCache("prefix-.*|.*\\.part")).isEmpty();
  }

  @Test
  void folder_serverThatStopsToServeRanges_isLeftToTheWholeFile() throws IOException {
    hub.bodyFaults(new Fault.Drip(100_000, 0), new Fault.Drip(100_000, 0));
    hub.everyBody(new Fault.WrongContentRange());

    assertThat(part(client()).folder(512, false)).isEmpty();
    assertThat(inOwnCache("prefix-.*|.*\\.part")).isEmpty();
  }

  @Test
  void folder_fileChangesMidway_isNotMixed() throws IOException {
    byte[] other = Files.readAllBytes(source.resolve(SaeFiles.WEIGHTS));
    Arrays.fill(other, other.length - 1000, other.length, (byte) 1);
    List<DownloadProgress> seen = new ArrayList<>();
    HubClient client =
        HubClient.of(
            hub.client(hubCache)
                .progress(
                    progress -> {
                      if (progress.phase() == DownloadProgress.Phase.STARTED) {
                        hub.tamper(REPO, WEIGHTS, other).expireSignatures();
                      }
                      seen.add(progress);
                    }));

    assertThatThrownBy(() -> part(client).folder(512, false))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("the file has changed on the Hub during the download")
        .hasMessageContaining("download it again");
    assertThat(seen.get(seen.size() - 1).phase()).isEqualTo(DownloadProgress.Phase.FAILED);
    assertThat(inOwnCache("prefix-.*|.*\\.part")).isEmpty();
  }

  @Test
  void folder_fileOnTheHubItselfChangesMidway_isNotMixed() throws IOException {
    byte[] one = Files.readAllBytes(source.resolve(SaeFiles.WEIGHTS));
    byte[] other = one.clone();
    other[other.length - 1] ^= 1;
    hub.file(REPO, WEIGHTS, one);
    HubClient client =
        HubClient.of(
            hub.client(hubCache)
                .progress(
                    progress -> {
                      if (progress.phase() == DownloadProgress.Phase.STARTED) {
                        hub.tamper(REPO, WEIGHTS, other);
                      }
                    }));

    assertThatThrownBy(() -> part(client).folder(512, false))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("the file has changed on the Hub during the download");
    assertThat(inOwnCache("prefix-.*|.*\\.part")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"truncated", "other sizes"})
  void folder_fileThatDoesNotFitTheConfiguration_isRefused(String fault) throws IOException {
    byte[] bytes = Files.readAllBytes(source.resolve(SaeFiles.WEIGHTS));
    if (fault.equals("truncated")) {
      hub.lfs(REPO, WEIGHTS, Arrays.copyOf(bytes, bytes.length - 4));
    } else {
      Path other = Files.createDirectory(ownCache.resolve("other"));
      new SyntheticSae(D_IN, 16_384, 1).write(other);
      hub.lfs(REPO, WEIGHTS, other.resolve(SaeFiles.WEIGHTS));
    }

    assertThatThrownBy(() -> part(client()).folder(128, false))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(WEIGHTS)
        .hasMessageContaining(fault.equals("truncated") ? "truncated" : "expected shape");
  }

  // Threads and progress

  @Test
  void folder_manyThreads_fetchOnce() throws Exception {
    HubClient client = client();
    ExecutorService threads = Executors.newFixedThreadPool(12);
    try {
      List<Callable<Optional<Path>>> calls =
          Collections.nCopies(12, () -> part(client).folder(512, false));
      for (Future<Optional<Path>> result : threads.invokeAll(calls)) {
        assertThat(result.get()).isEqualTo(part(client).folder(512, false)).isPresent();
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(hub.count("HEAD")).isEqualTo(1);
    assertThat(hub.bodyBytes()).isLessThan(2L * 512 * D_IN * Float.BYTES + 40_000);
  }

  @Test
  void folder_otherProcessWasFaster_usesItsPart() throws IOException {
    PrefixDownload slow =
        part(
            HubClient.of(
                hub.client(hubCache)
                    .progress(
                        progress -> {
                          if (progress.phase() == DownloadProgress.Phase.FINISHED) {
                            copyOfAFasterProcess();
                          }
                        })));

    assertThat(slow.folder(512, false)).isPresent();

    assertThat(inOwnCache("prefix-512")).hasSize(1);
    assertThat(inOwnCache(".*\\.part")).isEmpty();
  }

  private void copyOfAFasterProcess() {
    try {
      Path elsewhere = Files.createDirectories(ownCache.resolveSibling("faster"));
      Path config = source.resolve(SaeFiles.CONFIG);
      RepoFile weights = new RepoFile(REPO, hub.commit(REPO, "main"), WEIGHTS);
      Path made =
          new PrefixDownload(client(), weights, PrefixSource.ofSaeLens(config), elsewhere)
              .folder(512, false)
              .orElseThrow();
      Path target = ownCache.resolve(elsewhere.relativize(made));
      Files.createDirectories(target.getParent());
      Files.move(made, target);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void fromPretrained_progress_isTold() throws IOException {
    List<DownloadProgress> seen = Collections.synchronizedList(new ArrayList<>());

    SAE.fromPretrained(REPO, FOLDER, options(512).progress(seen::add)).close();

    List<DownloadProgress> weights =
        seen.stream().filter(p -> p.file().filename().equals(WEIGHTS)).toList();
    assertThat(weights.get(0).phase()).isEqualTo(DownloadProgress.Phase.STARTED);
    DownloadProgress last = weights.get(weights.size() - 1);
    assertThat(last.phase()).isEqualTo(DownloadProgress.Phase.FINISHED);
    assertThat(last.totalBytes()).hasValue(last.bytesDone());
    assertThat(last.bytesDone()).isLessThan(wholeBytes / 10);
  }

  @Test
  void folder_ofATensorOfAnyType_keepsItsBytes(@TempDir Path folder) throws IOException {
    int dIn = 2 * D_IN;
    String config =
        Files.readString(source.resolve(SaeFiles.CONFIG)).replace("\"d_in\": 64", "\"d_in\": 128");
    Files.writeString(
        folder.resolve(SaeFiles.CONFIG), config.replace("\"jumprelu\"", "\"standard\""));
    short[] half = new short[dIn * D_SAE];
    for (int i = 0; i < half.length; i++) {
      half[i] = (short) (i % 15_000);
    }
    ByteBuffer bytes = ByteBuffer.allocate(half.length * 2).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asShortBuffer().put(half);
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("W_enc", Dtype.F16, dIn, D_SAE)
            .tensor("W_dec", Dtype.BF16, D_SAE, dIn)
            .tensor("b_enc", Dtype.F32, D_SAE)
            .tensor("b_dec", Dtype.F64, dIn)
            .create(folder.resolve(SaeFiles.WEIGHTS))) {
      writer.write("W_enc", bytes.duplicate());
      writer.write("W_dec", bytes.duplicate());
      writer.writeFloats("b_enc", new float[D_SAE]);
      writer.writeDoubles("b_dec", new double[dIn]);
      writer.finish();
    }
    hub.file("o/half", SaeFiles.CONFIG, Files.readAllBytes(folder.resolve(SaeFiles.CONFIG)));
    hub.lfs("o/half", SaeFiles.WEIGHTS, folder.resolve(SaeFiles.WEIGHTS));

    SAE.fromPretrained("o/half", "", options(2048)).close();

    try (SafetensorsFile part =
            SafetensorsFile.open(inOwnCache("prefix-2048").get(0).resolve(SaeFiles.WEIGHTS));
        SafetensorsFile whole = SafetensorsFile.open(folder.resolve(SaeFiles.WEIGHTS))) {
      assertThat(part.info("W_enc").dtype()).isEqualTo(Dtype.F16);
      float[] row = new float[2048];
      float[] expected = new float[2048];
      for (int d = 0; d < dIn; d++) {
        part.readFloats("W_enc", (long) d * 2048, row);
        whole.readFloats("W_enc", (long) d * D_SAE, expected);
        assertThat(row).isEqualTo(expected);
      }
    }
  }
}
