package io.matryoshka.sae.internal.kernel.prepared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.internal.kernel.SyntheticEncoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of prepared encoders: stale, damaged, in the way, or written by several processes. */
class EncoderRowsStoreTest {

  private static final int GROUPS = 3;
  private static final int CHECKSUMS_AT = 24;
  private static final int NORMS_AT = CHECKSUMS_AT + (1 + 2 * GROUPS) * Integer.BYTES;
  private static final int CODES_AT = page(NORMS_AT + 3 * SyntheticEncoder.D_SAE * Float.BYTES);
  private static final int ELEMENTS = SyntheticEncoder.D_SAE * SyntheticEncoder.D_IN;
  private static final int ROWS_AT = page(CODES_AT + ELEMENTS);
  private static final int SIZE = ROWS_AT + ELEMENTS * Float.BYTES;

  /** Weights that must not be read. */
  private static final WeightSource FORBIDDEN =
      (first, target, count) -> {
        throw new IOException("the weights are read");
      };

  @TempDir Path folder;
  private final SyntheticEncoder encoder = new SyntheticEncoder(5);
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("sae").resolve(".synthetic.encoder");
  }

  private static int page(int position) {
    return (position + 4095) / 4096 * 4096;
  }

  private byte[] written() throws IOException {
    encoder.loadOrBuild(file);
    return Files.readAllBytes(file);
  }

  private EncoderRows load() throws IOException {
    return encoder
        .store(file)
        .loadOrBuild(FORBIDDEN, SyntheticEncoder.D_IN, SyntheticEncoder.D_SAE);
  }

  /** Replaces the file as a user would, so that the mapped one stays as it is. */
  private void replace(byte[] bytes) throws IOException {
    Files.delete(file);
    Files.write(file, bytes);
  }

  private void assertRefused() {
    assertThatThrownBy(this::load).hasMessage("the weights are read");
  }

  /** What is in the place of the file is of no use, and gives way to what is. */
  private void assertMadeAgain(byte[] sound) throws IOException {
    assertRefused();
    encoder.assertIsLayout(encoder.loadOrBuild(file));
    assertThat(Files.readAllBytes(file)).isEqualTo(sound);
    assertThat(Files.list(file.getParent())).containsExactly(file);
  }

  @Test
  void loadOrBuild_noFile_writesIt() throws IOException {
    encoder.assertIsLayout(encoder.loadOrBuild(file));
    assertThat(file).hasSize(SIZE);
    assertThat(Files.list(file.getParent())).containsExactly(file);
  }

  @Test
  void loadOrBuild_soundFile_readsNoWeights() throws IOException {
    encoder.loadOrBuild(file);
    encoder.assertIsLayout(load());
    assertThat(SyntheticEncoder.digest(load())).isEqualTo(encoder.digest());
  }

  @Test
  void loadOrBuild_twice_writesTheSameBytes() throws IOException {
    byte[] first = written();
    Files.delete(file);
    assertThat(written()).isEqualTo(first);
  }

  @Test
  void file_layout_isTheDocumentedOne() throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(written()).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(bytes.getInt(4)).as("version").isEqualTo(2);
    assertThat(bytes.getInt(8)).isEqualTo(SyntheticEncoder.D_IN);
    assertThat(bytes.getInt(12)).isEqualTo(SyntheticEncoder.D_SAE);
    assertThat(bytes.getLong(16)).isEqualTo(5);
    float weight = encoder.weight(3, 4321);
    int at = 4321 * SyntheticEncoder.D_IN + 3;
    assertThat(bytes.getFloat(ROWS_AT + at * Float.BYTES)).isEqualTo(weight);
    float step = bytes.getFloat(NORMS_AT + 4321 * Float.BYTES);
    assertThat((double) bytes.get(CODES_AT + at)).isEqualTo(Math.rint(weight / step));
  }

  // ---- stale ----

  @Test
  void loadOrBuild_otherWeights_isMadeAgain() throws IOException {
    byte[] sound = written();
    Files.delete(file);
    new SyntheticEncoder(6).loadOrBuild(file);
    assertMadeAgain(sound);
  }

  @Test
  void loadOrBuild_otherShapeOfTheSameSize_isMadeAgain() throws IOException {
    byte[] sound = written();
    byte[] other = sound.clone();
    ByteBuffer head = ByteBuffer.wrap(other).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(8, SyntheticEncoder.D_SAE).putInt(12, SyntheticEncoder.D_IN);
    replace(other);
    assertMadeAgain(sound);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 100, 2048, 4499})
  void loadOrBuild_ofAPart_isNotTakenForTheWhole(int dSae) throws IOException {
    byte[] sound = written();
    Files.delete(file);
    WeightSource part =
        (first, target, count) -> {
          for (int i = 0; i < count; i++) {
            long at = first + i;
            target[i] = encoder.weight((int) (at / dSae), (int) (at % dSae));
          }
        };
    encoder.store(file).loadOrBuild(part, SyntheticEncoder.D_IN, dSae);
    assertMadeAgain(sound);
  }

  @Test
  void loadOrBuild_theVersionBefore_isMadeAgain() throws IOException {
    byte[] sound = written();
    byte[] old = sound.clone();
    old[4] = 1;
    replace(old);
    assertMadeAgain(sound);
  }

  // ---- damaged ----

  @Test
  void loadOrBuild_anyByteOfTheHeaderChanged_isRefused() throws IOException {
    byte[] sound = written();
    for (int at = 0; at < NORMS_AT; at++) {
      byte[] damaged = sound.clone();
      damaged[at] ^= 0x40;
      replace(damaged);
      assertRefused();
    }
    assertMadeAgain(sound);
  }

  /** Parts of the file, each with the positions of its first and last byte. */
  enum Part {
    STEPS(NORMS_AT, NORMS_AT + SyntheticEncoder.D_SAE * Float.BYTES),
    RESIDUAL_NORMS(
        NORMS_AT + 2 * SyntheticEncoder.D_SAE * Float.BYTES,
        NORMS_AT + 3 * SyntheticEncoder.D_SAE * Float.BYTES),
    CODES_OF_FIRST_GROUP(CODES_AT, CODES_AT + 2048 * SyntheticEncoder.D_IN),
    CODES_OF_LAST_GROUP(CODES_AT + 4096 * SyntheticEncoder.D_IN, CODES_AT + ELEMENTS),
    ROWS_OF_FIRST_GROUP(ROWS_AT, ROWS_AT + 2048 * SyntheticEncoder.D_IN * Float.BYTES),
    ROWS_OF_SECOND_GROUP(
        ROWS_AT + 2048 * SyntheticEncoder.D_IN * Float.BYTES,
        ROWS_AT + 4096 * SyntheticEncoder.D_IN * Float.BYTES),
    ROWS_OF_LAST_GROUP(ROWS_AT + 4096 * SyntheticEncoder.D_IN * Float.BYTES, SIZE);

    final int begin;
    final int end;

    Part(int begin, int end) {
      this.begin = begin;
      this.end = end;
    }
  }

  @ParameterizedTest
  @EnumSource(Part.class)
  void loadOrBuild_oneBitOfAPartChanged_isMadeAgain(Part part) throws IOException {
    byte[] sound = written();
    for (int at : new int[] {part.begin, (part.begin + part.end) / 2, part.end - 1}) {
      byte[] damaged = sound.clone();
      damaged[at] ^= 1;
      replace(damaged);
      assertMadeAgain(sound);
    }
  }

  @Test
  void loadOrBuild_anyOtherLength_isMadeAgain() throws IOException {
    byte[] sound = written();
    int[] lengths = {
      0,
      1,
      4,
      23,
      CHECKSUMS_AT,
      NORMS_AT - 1,
      NORMS_AT,
      CODES_AT - 1,
      CODES_AT,
      ROWS_AT,
      ROWS_AT + 4096,
      SIZE - 1,
      SIZE + 1,
      2 * SIZE
    };
    for (int length : lengths) {
      replace(Arrays.copyOf(sound, length));
      assertMadeAgain(sound);
    }
  }

  @Test
  void loadOrBuild_zeros_isMadeAgain() throws IOException {
    byte[] sound = written();
    replace(new byte[SIZE]);
    assertMadeAgain(sound);
  }

  /** What a system that lost power can leave: the right length, but only the first pages. */
  @Test
  void loadOrBuild_zerosAfterTheHeader_isMadeAgain() throws IOException {
    byte[] sound = written();
    replace(Arrays.copyOf(Arrays.copyOf(sound, CODES_AT), SIZE));
    assertMadeAgain(sound);
  }

  // ---- no place for the file ----

  @Test
  void loadOrBuild_folderInItsPlace_preparesInMemory() throws IOException {
    Files.createDirectories(file);
    encoder.assertIsLayout(encoder.loadOrBuild(file));
    assertThat(file).isEmptyDirectory();
    assertThat(Files.list(file.getParent())).containsExactly(file);
  }

  @Test
  void loadOrBuild_fullFolderInItsPlace_preparesInMemory() throws IOException {
    Files.createDirectories(file);
    Files.createFile(file.resolve("something"));
    encoder.assertIsLayout(encoder.loadOrBuild(file));
    assertThat(Files.list(file.getParent())).containsExactly(file);
  }

  @Test
  void loadOrBuild_fileInPlaceOfTheFolder_preparesInMemory() throws IOException {
    Files.createFile(file.getParent());
    encoder.assertIsLayout(encoder.loadOrBuild(file));
    assertThat(file.getParent()).isEmptyFile();
  }

  @Test
  void loadOrBuild_weightsUnreadable_saysWhyAndLeavesNothing() throws IOException {
    assertRefused();
    assertThat(file.getParent()).isEmptyDirectory();
  }

  // ---- several at the same time ----

  @Test
  void loadOrBuild_manyThreads_eachGetsItsLayout() throws Exception {
    int threads = 8;
    int rounds = 5;
    SyntheticEncoder other = new SyntheticEncoder(6);
    long digest = encoder.digest();
    long otherDigest = other.digest();
    CyclicBarrier barrier = new CyclicBarrier(threads);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Callable<Boolean>> tasks = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        boolean first = t % 2 == 0;
        tasks.add(
            () -> {
              boolean right = true;
              for (int round = 0; round < rounds; round++) {
                barrier.await();
                EncoderRows rows = (first ? encoder : other).loadOrBuild(file);
                right &= SyntheticEncoder.digest(rows) == (first ? digest : otherDigest);
              }
              return right;
            });
      }
      for (Future<Boolean> right : pool.invokeAll(tasks)) {
        assertThat(right.get()).isTrue();
      }
    } finally {
      pool.shutdownNow();
    }
    assertThat(Files.list(file.getParent())).containsExactly(file);
  }

  @Test
  void loadOrBuild_replacedWhileInUse_staysAsItWas() throws IOException {
    EncoderRows built = encoder.loadOrBuild(file);
    EncoderRows loaded = load();
    new SyntheticEncoder(6).loadOrBuild(file);
    encoder.assertIsLayout(built);
    encoder.assertIsLayout(loaded);
    Files.delete(file);
    encoder.assertIsLayout(loaded);
  }

  // ---- large ----

  /** A buffer holds 2 GiB at most, so a large encoder lies in several segments. */
  @Test
  @Tag("large")
  void loadOrBuild_severalSegments_putsEveryRowInItsPlace() throws IOException {
    int dIn = 1 << 17;
    int dSae = EncoderRows.segmentLatents(dIn) + 33;
    WeightSource source =
        (first, target, count) -> {
          for (int i = 0; i < count; i++) {
            target[i] = (first + i) % 9973;
          }
        };
    EncoderRowsStore store = new EncoderRowsStore(file, 1);
    store.loadOrBuild(source, dIn, dSae);
    EncoderRows rows = store.loadOrBuild(FORBIDDEN, dIn, dSae);
    assertThat(rows.rows).hasSize(2);
    for (int latent = 0; latent < dSae; latent += 13) {
      int inSegment = latent % rows.segmentLatents;
      for (int d = 0; d < dIn; d += 1021) {
        int at = inSegment * dIn + d;
        float expected = ((long) d * dSae + latent) % 9973;
        int segment = latent / rows.segmentLatents;
        assertThat(rows.rows[segment].getFloat(at * Float.BYTES)).isEqualTo(expected);
        assertThat(rows.norms.step()[latent] * rows.codes[segment].get(at))
            .isBetween(expected - 40, expected + 40);
      }
    }
  }

  // ---- what killed writers leave ----

  private Path leftBehind(String end, int bytes, Duration age) throws IOException {
    Path part = file.resolveSibling(".synthetic.encoder.0000" + end + ".matryoshka.tmp");
    Files.write(part, new byte[bytes]);
    Files.setLastModifiedTime(part, FileTime.from(Instant.now().minus(age)));
    return part;
  }

  @Test
  void loadOrBuild_partsLeftBehind_removesThemAndNothingElse() throws IOException {
    written();
    Path part = leftBehind("00000000000a", 100, Duration.ZERO);
    Path emptyPart = leftBehind("00000000000b", 0, Duration.ofMinutes(2));
    Path newPart = leftBehind("00000000000c", 0, Duration.ofMinutes(-2));
    List<String> kept = List.of("x.encoder.1.part", "other.part", ".synthetic.encoder.part");
    for (String name : kept) {
      Files.createFile(file.resolveSibling(name));
    }
    load();
    assertThat(part).doesNotExist();
    assertThat(emptyPart).doesNotExist();
    assertThat(newPart).as("a part that may be about to be locked").exists();
    try (Stream<Path> left = Files.list(file.getParent())) {
      assertThat(left).hasSize(2 + kept.size());
    }
  }
}
