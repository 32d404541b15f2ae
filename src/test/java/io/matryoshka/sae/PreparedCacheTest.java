package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.LoadOptions.Engine;
import io.matryoshka.sae.internal.bench.SyntheticSae;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.support.OwnCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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

/** Where the prepared encoder of an SAE lies on disk, and that latents do not depend on it. */
class PreparedCacheTest {

  private static final String WEIGHTS = "sae_weights.safetensors";
  private static final String CONFIG = "cfg.json";
  private static final String PREPARED = ".matryoshka-sae.encoder";

  /** The least number of weights that is stored. */
  private static final int D_IN = 256;

  private static final int D_SAE = 32768;
  private static final int TOKENS = 16;

  @TempDir static Path made;
  private static final SyntheticSae ONE = new SyntheticSae(D_IN, D_SAE, 1);
  private static final SyntheticSae OTHER = new SyntheticSae(D_IN, D_SAE, 2);

  @TempDir Path folder;
  private Path sae;
  private Path cache;
  private OwnCache setting;

  @BeforeAll
  static void write() throws IOException {
    ONE.write(made.resolve("one"));
    OTHER.write(made.resolve("other"));
  }

  @BeforeEach
  void copySae() throws IOException {
    sae = copyTo(folder.resolve("sae"));
    cache = folder.resolve("cache");
    setting = OwnCache.in(cache);
  }

  @AfterEach
  void restoreCacheFolder() {
    setting.close();
  }

  private static Path copyTo(Path target) throws IOException {
    Files.createDirectories(target);
    Files.copy(made.resolve("one").resolve(CONFIG), target.resolve(CONFIG));
    Files.copy(made.resolve("one").resolve(WEIGHTS), target.resolve(WEIGHTS));
    return target;
  }

  private static SparseLatents encode(Path folder, LoadOptions options) throws IOException {
    try (SAE sae = SAE.load(folder, options)) {
      return sae.encodeSparse(tokens(sae.dIn()));
    }
  }

  private static float[] tokens(int dIn) {
    return new SyntheticSae(dIn, D_SAE, 1).tokens(0, TOKENS);
  }

  /**
   * Encodes with the fast engine and compares with the reference engine, which prepares nothing.
   */
  private static SparseLatents assertRight(Path folder, LoadOptions options) throws IOException {
    SparseLatents fast = encode(folder, options);
    SparseLatents reference = encode(folder, options.engine(Engine.REFERENCE));
    Map<Long, Float> expected = entries(reference);
    assertThat(expected).hasSizeGreaterThan(TOKENS);
    Map<Long, Float> found = entries(fast);
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    found.forEach(
        (place, value) ->
            assertThat(Math.abs(value - expected.get(place))).as("%s", place).isLessThan(1e-5f));
    return fast;
  }

  private static Map<Long, Float> entries(SparseLatents latents) {
    Map<Long, Float> entries = new TreeMap<>();
    int[] offsets = latents.rowOffsets();
    int[] indices = latents.latents();
    float[] values = latents.activations();
    for (int row = 0; row < latents.rows(); row++) {
      for (int e = offsets[row]; e < offsets[row + 1]; e++) {
        entries.put((long) row * D_SAE + indices[e], values[e]);
      }
    }
    return entries;
  }

  private static void assertSame(SparseLatents a, SparseLatents b) {
    assertThat(a.rowOffsets()).isEqualTo(b.rowOffsets());
    assertThat(a.latents()).isEqualTo(b.latents());
    assertThat(a.activations()).isEqualTo(b.activations());
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** A number that changes when the file is written anew. */
  private Object identity(Path file) throws IOException {
    return List.of(
        Files.getLastModifiedTime(file),
        String.valueOf(Files.readAttributes(file, "fileKey").get("fileKey")));
  }

  // ---- where ----

  @Test
  void encode_firstAndSecondStart_storesBesideTheWeightsAndReads() throws IOException {
    SparseLatents first = assertRight(sae, LoadOptions.defaults());
    assertThat(names(sae)).containsExactly(PREPARED, CONFIG, WEIGHTS);
    assertThat(cache).doesNotExist();
    Object written = identity(sae.resolve(PREPARED));
    assertSame(encode(sae, LoadOptions.defaults()), first);
    assertThat(identity(sae.resolve(PREPARED))).isEqualTo(written);
  }

  @Test
  void load_alone_storesNothing() throws IOException {
    SAE.load(sae).close();
    assertThat(names(sae)).containsExactly(CONFIG, WEIGHTS);
  }

  @Test
  void encode_turnedOff_neitherReadsNorWrites() throws IOException {
    LoadOptions off = LoadOptions.defaults().preparedCache(false);
    SparseLatents without = assertRight(sae, off);
    assertThat(names(sae)).containsExactly(CONFIG, WEIGHTS);
    assertThat(cache).doesNotExist();

    assertSame(encode(sae, LoadOptions.defaults()), without);
    Files.writeString(sae.resolve(PREPARED), "anything");
    assertSame(encode(sae, off), without);
    assertThat(sae.resolve(PREPARED)).hasContent("anything");
  }

  @Test
  void encode_inAHubCache_storesInTheLibrarysFolder() throws IOException {
    Path snapshot = copyTo(folder.resolve("models--a--b/snapshots/1234"));
    SparseLatents first = assertRight(snapshot, LoadOptions.defaults());
    assertThat(names(snapshot)).containsExactly(CONFIG, WEIGHTS);
    assertThat(names(cache.resolve("prepared")))
        .singleElement()
        .asString()
        .matches("[0-9a-f]{16}\\.encoder");
    assertSame(encode(snapshot, LoadOptions.defaults()), first);
    assertThat(names(cache.resolve("prepared"))).hasSize(1);
  }

  @Test
  void encode_noPlaceInTheLibrarysFolder_isRight() throws IOException {
    Path snapshot = copyTo(folder.resolve("snapshots"));
    Files.createFile(cache);
    assertRight(snapshot, LoadOptions.defaults());
    assertThat(cache).isEmptyFile();
  }

  @Test
  void encode_folderInPlaceOfTheFile_isRight() throws IOException {
    Files.createDirectories(sae.resolve(PREPARED).resolve("something"));
    assertRight(sae, LoadOptions.defaults());
    assertThat(names(sae)).containsExactly(PREPARED, CONFIG, WEIGHTS);
  }

  // ---- stale ----

  private void replaceWeights(Path source) throws IOException {
    Files.copy(source.resolve(WEIGHTS), sae.resolve(WEIGHTS), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(source.resolve(CONFIG), sae.resolve(CONFIG), StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void encode_otherWeightsOfTheSameSize_isOfTheNewOnes() throws IOException {
    assertRight(sae, LoadOptions.defaults());
    Object old = identity(sae.resolve(PREPARED));
    replaceWeights(made.resolve("other"));
    assertRight(sae, LoadOptions.defaults());
    assertThat(identity(sae.resolve(PREPARED))).isNotEqualTo(old);
  }

  @Test
  void encode_otherWeightsOfTheSameSizeAndTime_isOfTheNewOnes() throws IOException {
    FileTime time = Files.getLastModifiedTime(sae.resolve(WEIGHTS));
    assertRight(sae, LoadOptions.defaults());
    replaceWeights(made.resolve("other"));
    Files.setLastModifiedTime(sae.resolve(WEIGHTS), time);
    assertRight(sae, LoadOptions.defaults());
  }

  @Test
  void encode_weightsOfAnotherSize_isOfTheNewOnes() throws IOException {
    assertRight(sae, LoadOptions.defaults());
    replaceWeights(new SyntheticSae(D_IN + 2, D_SAE, 3).write(folder.resolve("larger")));
    assertRight(sae, LoadOptions.defaults());
  }

  @Test
  void encode_weightsTouched_isMadeAnew() throws IOException {
    assertRight(sae, LoadOptions.defaults());
    Object old = identity(sae.resolve(PREPARED));
    Files.setLastModifiedTime(sae.resolve(WEIGHTS), FileTime.fromMillis(1_000_000_000_000L));
    assertRight(sae, LoadOptions.defaults());
    assertThat(identity(sae.resolve(PREPARED))).isNotEqualTo(old);
  }

  @Test
  void encode_loadedWithAnotherType_isOfThatType() throws IOException {
    SparseLatents single = assertRight(sae, LoadOptions.defaults());
    SparseLatents half = assertRight(sae, LoadOptions.defaults().dtype(Dtype.BF16));
    assertThat(half.activations()).isNotEqualTo(single.activations());
    assertSame(encode(sae, LoadOptions.defaults()), single);
  }

  @Test
  void encode_prefix_sharesTheFileOfTheWhole() throws IOException {
    SparseLatents whole = assertRight(sae, LoadOptions.defaults());
    Object written = identity(sae.resolve(PREPARED));
    SparseLatents prefix = assertRight(sae, LoadOptions.defaults().prefix(2048));
    assertThat(prefix.activeCount()).isLessThan(whole.activeCount());
    assertThat(identity(sae.resolve(PREPARED))).isEqualTo(written);
  }

  // ---- several at once ----

  @Test
  void encode_manySaesAtOnce_allAreRight() throws Exception {
    SparseLatents expected = encode(sae, LoadOptions.defaults().preparedCache(false));
    int threads = 4;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Callable<SparseLatents>> tasks = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        tasks.add(() -> encode(sae, LoadOptions.defaults()));
      }
      for (Future<SparseLatents> latents : pool.invokeAll(tasks)) {
        assertSame(latents.get(), expected);
      }
    } finally {
      pool.shutdownNow();
    }
    assertThat(names(sae)).containsExactly(PREPARED, CONFIG, WEIGHTS);
  }

  @Test
  void encode_fileReplacedWhileOpen_staysRight() throws IOException {
    try (SAE open = SAE.load(sae)) {
      SparseLatents first = open.encodeSparse(tokens(D_IN));
      replaceWeights(made.resolve("other"));
      assertRight(sae, LoadOptions.defaults());
      assertThat(open.encodeSparse(tokens(D_IN)).latents()).isEqualTo(first.latents());
    }
  }
}
