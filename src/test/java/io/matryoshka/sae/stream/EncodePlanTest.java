package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.store.StoredFile;
import io.matryoshka.sae.support.MemoryStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Shards that are encoded one by one, as tasks on several machines do. */
class EncodePlanTest {

  private static SAE sae;

  @TempDir Path folder;

  private final MemoryStore store = new MemoryStore();

  @BeforeAll
  static void load() throws IOException {
    sae = DemoRows.sae();
  }

  @AfterAll
  static void close() {
    sae.close();
  }

  private ActivationSource disk() throws IOException {
    return DemoRows.source(folder.resolve("in"), 100, 0, 111);
  }

  private ActivationSource stored() throws IOException {
    List<StoredFile> copies = new ArrayList<>();
    for (ActivationShard shard : disk().shards()) {
      copies.add(store.copy(Path.of(shard.file().name())));
    }
    return ActivationSource.openStored(copies, SourceOptions.of(sae));
  }

  /** The rows of a shard are no multiple of those of a batch, and the other way round. */
  @ParameterizedTest
  @CsvSource({"64, 50, false", "50, 64, true", "32, 64, true", "300, 40, true"})
  void encode_shardsAloneInAnyOrder_giveTheBytesOfTheRun(
      int batchRows, int rowsPerShard, boolean batchTopK) throws IOException {
    EncodeOptions options =
        EncodeOptions.defaults().batchRows(batchRows).rowsPerShard(rowsPerShard).saeName("demo");
    EncodeOptions selected = batchTopK ? options.selection(Selection.batchTopK(5)) : options;
    Path whole = folder.resolve("whole");
    EncodeResult expected = EncodeRun.toFolder(sae, disk(), whole, selected);
    Path parts = Files.createDirectory(folder.resolve("parts"));
    ActivationSource source = stored();

    EncodedShard[] done = new EncodedShard[expected.shards()];
    for (int shard = done.length - 1; shard >= 0; shard--) {
      done[shard] = EncodePlan.of(sae, source, selected).encode(shard, parts);
    }
    EncodePlan driver = EncodePlan.of(sae, source, selected);
    Files.writeString(parts.resolve(EncodePlan.INDEX), driver.index(List.of(done)));

    assertThat(DemoRows.contents(parts)).isEqualTo(DemoRows.contents(whole));
    assertThat(driver.result(List.of(done), 0, Duration.ZERO))
        .usingRecursiveComparison()
        .ignoringFields("elapsed")
        .isEqualTo(expected);
    assertThat(store.openSources()).isZero();
  }

  @Test
  void finished_wholeMissingAndForeignFile_areToldApart() throws IOException {
    EncodeOptions options = EncodeOptions.defaults().rowsPerShard(100);
    EncodePlan plan = EncodePlan.of(sae, stored(), options);
    EncodedShard entry = plan.encode(1, folder);
    Path file = folder.resolve(plan.fileName(1));
    StoredFile whole = store.copy(file);
    byte[] bytes = Files.readAllBytes(file);
    StoredFile cut = store.put("mem://cut", Arrays.copyOf(bytes, bytes.length - 4));

    assertThat(plan.finished(1, whole)).contains(entry);
    assertThat(plan.finished(0, whole)).isEmpty();
    assertThat(plan.finished(1, cut)).isEmpty();
    assertThat(plan.finished(1, store.file("mem://missing"))).isEmpty();
  }

  @Test
  void index_notAllShards_isRefused() throws IOException {
    EncodePlan plan = EncodePlan.of(sae, stored(), EncodeOptions.defaults().rowsPerShard(100));
    EncodedShard last = plan.encode(2, folder);

    assertThatThrownBy(() -> plan.index(List.of(last)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected the entries of all 3 files in order, got those of 1");
  }

  @Test
  void requireSame_checkpointOfAnotherRun_namesTheDifference() throws IOException {
    EncodeOptions options = EncodeOptions.defaults();
    EncodePlan plan = EncodePlan.of(sae, disk(), options);
    EncodePlan other = EncodePlan.of(sae, stored(), options.rowsPerShard(64));

    plan.requireSame("mem://run/checkpoint.json", plan.checkpoint());
    assertThatThrownBy(() -> other.requireSame("mem://run/checkpoint.json", plan.checkpoint()))
        .isInstanceOf(EncodeRunException.class)
        .hasMessageContaining("mem://run/checkpoint.json")
        .hasMessageContaining("rows_per_shard was 65536, now it is 64");
    assertThatThrownBy(() -> plan.requireSame("mem://run/index.json", "{\"format\""))
        .isInstanceOf(EncodeRunException.class)
        .hasMessageContaining("mem://run/index.json: is not the JSON");
    assertThatThrownBy(() -> plan.requireSame("mem://run/index.json", "{\"format\": \"other\"}"))
        .isInstanceOf(EncodeRunException.class)
        .hasMessageContaining("expected format");
  }

  @Test
  void batches_endRow_readsNothingBeyondIt() throws IOException {
    ActivationSource source = stored();
    float[] all = DemoRows.rows(0, 211);
    store.put(source.shards().get(2).file().name(), new byte[0]); // gone bad since

    List<Long> firstRows = new ArrayList<>();
    int read = 0;
    try (ActivationBatches batches = source.batches(30, 40, 100)) {
      while (batches.hasNext()) {
        ActivationBatch batch = batches.next();
        firstRows.add(batch.firstRow());
        for (int i = 0; i < batch.values().length; i++) {
          assertThat(batch.values()[i]).isEqualTo(all[(int) batch.firstRow() * DemoRows.D_IN + i]);
        }
        read += batch.rows();
      }
    }

    assertThat(firstRows).containsExactly(40L, 70L);
    assertThat(read).isEqualTo(60);
    assertThat(source.batches(30, 40, 40).hasNext()).isFalse();
    assertThatThrownBy(() -> source.batches(30, 40, 212))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessage("end row must lie in 40..211, got 212");
    assertThatThrownBy(() -> source.batches(30, 40, 39))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }
}
