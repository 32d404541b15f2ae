package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EncodeRunTest {

  private static final int ROWS = 700;
  private static final EncodeOptions OPTIONS =
      EncodeOptions.defaults().rowsPerShard(150).batchRows(64);

  private static SAE sae;

  @TempDir Path folder;

  @BeforeAll
  static void load() throws IOException {
    sae = DemoRows.sae();
  }

  @AfterAll
  static void close() {
    sae.close();
  }

  private ActivationSource source() throws IOException {
    return DemoRows.source(folder.resolve("in"), 100, 0, 333, ROWS - 433);
  }

  private Path out(String name) {
    return folder.resolve(name);
  }

  private static SparseLatents encode(int first, int count, Selection selection)
      throws IOException {
    return sae.encodeSparse(FloatBuffer.wrap(DemoRows.rows(first, count)), count, selection);
  }

  private static void assertSame(SparseLatents actual, SparseLatents expected) {
    assertThat(actual.width()).isEqualTo(expected.width());
    assertThat(actual.rowOffsets()).isEqualTo(expected.rowOffsets());
    assertThat(actual.latents()).isEqualTo(expected.latents());
    assertThat(actual.activations()).isEqualTo(expected.activations());
  }

  private static List<Path> shards(Path run) throws IOException {
    try (Stream<Path> files = Files.list(run)) {
      return files.filter(f -> f.getFileName().toString().startsWith("latents-")).sorted().toList();
    }
  }

  private void assertHolds(Path run, SparseLatents expected) throws IOException {
    List<Path> shards = shards(run);
    assertThat(shards).hasSize(5);
    for (int i = 0; i < shards.size(); i++) {
      assertThat(shards.get(i).getFileName()).hasToString(name(i));
      SparseLatents part = expected.rows(150 * i, Math.min(ROWS, 150 * (i + 1)));
      assertSame(SparseLatents.load(shards.get(i)), part);
    }
  }

  private static String name(int shard) {
    return "latents-0000" + shard + "-of-00005.safetensors";
  }

  // --- What a run writes

  @Test
  void toFolder_threshold_givesWhatEncodeGives() throws IOException {
    EncodeResult result = EncodeRun.toFolder(sae, source(), out("run"), OPTIONS);
    SparseLatents expected = encode(0, ROWS, Selection.threshold());
    assertHolds(out("run"), expected);
    assertThat(result.rows()).isEqualTo(ROWS);
    assertThat(result.entries()).isEqualTo(expected.activeCount());
    assertThat(result.shards()).isEqualTo(5);
    assertThat(result.resumedRows()).isZero();
    assertThat(result.nonFiniteRows()).isZero();
    assertThat(result.meanL0()).isEqualTo((double) expected.activeCount() / ROWS);
    assertThat(result.rowsPerSecond()).isPositive();
    assertThat(DemoRows.contents(out("run")).keySet())
        .containsExactly("index.json", name(0), name(1), name(2), name(3), name(4));
  }

  @Test
  void toFolder_topK_givesWhatEncodeGives() throws IOException {
    EncodeRun.toFolder(sae, source(), out("run"), OPTIONS.selection(Selection.topK(9)));
    assertHolds(out("run"), encode(0, ROWS, Selection.topK(9)));
  }

  @Test
  void toFolder_batchTopK_takesBatchesFromRow0WhateverTheShards() throws IOException {
    EncodeOptions options = OPTIONS.selection(Selection.batchTopK(5));
    EncodeRun.toFolder(sae, source(), out("run"), options);
    EncodeRun.toFolder(sae, source(), out("one"), options.rowsPerShard(10_000));
    SparseLatents one =
        SparseLatents.load(out("one").resolve("latents-00000-of-00001.safetensors"));
    for (int first = 0; first < ROWS; first += 64) {
      int count = Math.min(64, ROWS - first);
      assertSame(one.rows(first, first + count), encode(first, count, Selection.batchTopK(5)));
    }
    assertHolds(out("run"), one);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 150, 1000})
  void toFolder_anyBatchSize_givesTheSameBytes(int batchRows) throws IOException {
    EncodeRun.toFolder(sae, source(), out("a"), OPTIONS);
    EncodeRun.toFolder(sae, source(), out("b"), OPTIONS.batchRows(batchRows));
    assertThat(DemoRows.contents(out("b"))).isEqualTo(DemoRows.contents(out("a")));
  }

  @Test
  void toFolder_prefixView_givesLatentsOfThePrefix() throws IOException {
    try (SAE prefix = sae.prefix(128)) {
      EncodeRun.toFolder(prefix, source(), out("run"), OPTIONS);
    }
    SparseLatents first = SparseLatents.load(out("run").resolve(name(0)));
    assertThat(first.width()).isEqualTo(128);
    SparseLatents whole = encode(0, 150, Selection.threshold()).range(0, 128);
    assertThat(first.latents()).isEqualTo(whole.latents());
  }

  @Test
  void toFolder_noRows_givesAnEmptyIndex() throws IOException {
    EncodeResult result =
        EncodeRun.toFolder(sae, DemoRows.source(folder.resolve("none"), 0), out("run"), OPTIONS);
    assertThat(result.rows()).isZero();
    assertThat(result.meanL0()).isZero();
    assertThat(index(out("run")).path("shards")).isEmpty();
  }

  @Test
  void toFile_oneArray_givesTheBytesOfSave() throws IOException {
    EncodeRun.toFile(sae, source(), out("all.safetensors"), OPTIONS);
    encode(0, ROWS, Selection.threshold()).save(out("saved.safetensors"));
    assertThat(out("all.safetensors")).hasSameBinaryContentAs(out("saved.safetensors"));

    Path file = out("one.safetensors");
    DemoRows.writeSafetensors(file, DemoRows.rows(0, 60), 3, 20, DemoRows.D_IN);
    ActivationSource one = ActivationSource.open(List.of(file));
    EncodeResult result = EncodeRun.toFile(sae, one, out("shaped.safetensors"), OPTIONS);
    SparseLatents shaped = SparseLatents.load(out("shaped.safetensors"));
    assertThat(shaped.leadingShape()).containsExactly(3, 20);
    assertSame(shaped, encode(0, 60, Selection.threshold()));
    assertThat(result.entries()).isEqualTo(shaped.activeCount());
  }

  // --- The index

  private static JsonNode index(Path run) throws IOException {
    return new ObjectMapper().readTree(run.resolve("index.json").toFile());
  }

  @Test
  void index_everyTensor_liesWhereItSays() throws IOException {
    EncodeRun.toFolder(sae, source(), out("run"), OPTIONS);
    JsonNode index = index(out("run"));
    long entries = 0;
    long nextRow = 0;
    for (JsonNode shard : index.path("shards")) {
      Path file = out("run").resolve(shard.path("file").asText());
      assertThat(shard.path("first_row").asLong()).isEqualTo(nextRow);
      assertThat(shard.path("size_bytes").asLong()).isEqualTo(Files.size(file));
      SparseLatents latents = SparseLatents.load(file);
      assertThat(shard.path("rows").asInt()).isEqualTo(latents.rows());
      assertThat(shard.path("entries").asInt()).isEqualTo(latents.activeCount());
      JsonNode tensors = shard.path("tensors");
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i <= latents.rows(); i++) {
        assertThat(bytes.getLong(at(tensors.path("row_offsets"), "<i8", 8, i, latents.rows() + 1)))
            .isEqualTo(latents.rowOffsets()[i]);
      }
      for (int i = 0; i < latents.activeCount(); i++) {
        int count = latents.activeCount();
        assertThat(bytes.getInt(at(tensors.path("latents"), "<i4", 4, i, count)))
            .isEqualTo(latents.latents()[i]);
        assertThat(bytes.getFloat(at(tensors.path("values"), "<f4", 4, i, count)))
            .isEqualTo(latents.activations()[i]);
      }
      entries += latents.activeCount();
      nextRow += latents.rows();
    }
    assertThat(nextRow).isEqualTo(ROWS);
    assertThat(index.path("rows").asInt()).isEqualTo(ROWS);
    assertThat(index.path("entries").asLong()).isEqualTo(entries);
    assertThat(index.path("width").asInt()).isEqualTo(sae.dSae());
  }

  private static int at(JsonNode tensor, String dtype, int width, int i, int count) {
    assertThat(tensor.path("dtype").asText()).isEqualTo(dtype);
    assertThat(tensor.path("count").asInt()).isEqualTo(count);
    return tensor.path("offset").asInt() + width * i;
  }

  @Test
  void index_source_saysWhichRowsCameFromWhere() throws IOException {
    EncodeRun.toFolder(sae, source(), out("run"), OPTIONS.saeName("demo/last_hidden_state"));
    assertThat(index(out("run")).path("sae_name").asText()).isEqualTo("demo/last_hidden_state");
    JsonNode settings = index(out("run")).path("settings");
    assertThat(settings.path("selection").asText()).isEqualTo("threshold");
    JsonNode third = settings.path("source").path(2);
    assertThat(third.path("file").asText()).isEqualTo("part-2.npy");
    assertThat(third.path("first_row").asInt()).isEqualTo(100);
    assertThat(third.path("rows").asInt()).isEqualTo(333);
  }

  // --- Resuming

  private void interrupt(Path run, EncodeOptions options, long afterRows) throws IOException {
    ActivationSource source = source();
    EncodeOptions stopped =
        options.progress(
            (done, rows) -> {
              if (done >= afterRows) {
                throw new UnsupportedOperationException("stopped by the test");
              }
            });
    assertThatThrownBy(() -> EncodeRun.toFolder(sae, source, run, stopped))
        .hasMessage("stopped by the test");
    assertThat(run.resolve("index.json")).doesNotExist();
    assertThat(DemoRows.contents(run).keySet()).noneMatch(name -> name.endsWith(".tmp"));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 64, 200, 470, 700})
  void toFolder_afterAFailure_resumesToTheSameBytes(int afterRows) throws IOException {
    for (Selection selection : List.of(Selection.threshold(), Selection.batchTopK(5))) {
      EncodeOptions options = OPTIONS.selection(selection);
      Path whole = out("whole " + selection);
      Path resumed = out("resumed " + selection);
      EncodeRun.toFolder(sae, source(), whole, options);
      interrupt(resumed, options, afterRows);
      int finished = shards(resumed).size();
      List<Long> updates = new ArrayList<>();
      EncodeResult result =
          EncodeRun.toFolder(
              sae, source(), resumed, options.progress((done, rows) -> updates.add(done)));
      assertThat(DemoRows.contents(resumed)).isEqualTo(DemoRows.contents(whole));
      assertThat(result.resumedRows()).isEqualTo(Math.min(ROWS, 150L * finished));
      assertThat(result.rows()).isEqualTo(ROWS);
      if (finished < 5) {
        assertThat(updates).isSorted().startsWith(150L * finished).endsWith((long) ROWS);
      }
    }
  }

  @Test
  void toFolder_finishedRun_doesNothing() throws IOException {
    EncodeResult first = EncodeRun.toFolder(sae, source(), out("run"), OPTIONS);
    Map<String, Integer> before = DemoRows.contents(out("run"));
    EncodeResult again =
        EncodeRun.toFolder(
            sae,
            source(),
            out("run"),
            OPTIONS.progress(
                (done, rows) -> {
                  throw new UnsupportedOperationException("nothing is to be encoded");
                }));
    assertThat(again.resumedRows()).isEqualTo(ROWS);
    assertThat(again.entries()).isEqualTo(first.entries());
    assertThat(DemoRows.contents(out("run"))).isEqualTo(before);
  }

  @Test
  void toFolder_shardLostOrCut_isMadeAnew() throws IOException {
    EncodeRun.toFolder(sae, source(), out("run"), OPTIONS);
    Map<String, Integer> before = DemoRows.contents(out("run"));
    Path third = out("run").resolve(name(3));
    Files.write(third, Arrays.copyOf(Files.readAllBytes(third), 500));
    EncodeResult result = EncodeRun.toFolder(sae, source(), out("run"), OPTIONS);
    assertThat(result.resumedRows()).isEqualTo(450);
    assertThat(DemoRows.contents(out("run"))).isEqualTo(before);
    Files.delete(out("run").resolve(name(0)));
    EncodeRun.toFolder(sae, source(), out("run"), OPTIONS);
    assertThat(DemoRows.contents(out("run"))).isEqualTo(before);
  }

  @Test
  void toFolder_otherSettings_namesWhatDiffers() throws IOException {
    interrupt(out("run"), OPTIONS, 300);
    assertRefused(OPTIONS.rowsPerShard(151), "rows_per_shard was 150, now it is 151");
    assertRefused(
        OPTIONS.selection(Selection.topK(3)), "selection was \"threshold\", now it is \"topK(3)\"");
    try (SAE prefix = sae.prefix(32)) {
      assertThatThrownBy(() -> EncodeRun.toFolder(prefix, source(), out("run"), OPTIONS))
          .isInstanceOf(EncodeRunException.class)
          .hasMessageContaining("sae.width was 2048, now it is 32");
    }
    ActivationSource fewer = DemoRows.source(folder.resolve("fewer"), ROWS);
    assertThatThrownBy(() -> EncodeRun.toFolder(sae, fewer, out("run"), OPTIONS))
        .isInstanceOf(EncodeRunException.class)
        .hasMessageContaining("source had 4 files, now it has 1");
  }

  private void assertRefused(EncodeOptions options, String difference) throws IOException {
    ActivationSource source = source();
    assertThatThrownBy(() -> EncodeRun.toFolder(sae, source, out("run"), options))
        .isInstanceOf(EncodeRunException.class)
        .hasMessageContainingAll("checkpoint.json", "other settings", difference, "restart");
  }

  @Test
  void toFolder_batchTopKWithAnotherBatch_isRefused() throws IOException {
    EncodeOptions options = OPTIONS.selection(Selection.batchTopK(5));
    interrupt(out("run"), options, 300);
    assertRefused(options.batchRows(32), "batch_rows was 64, now it is 32");
  }

  @Test
  void toFolder_sourceOfOtherContent_isRefused() throws IOException {
    interrupt(out("run"), OPTIONS, 300);
    float[] rows = DemoRows.rows(0, ROWS - 433);
    DemoRows.writeSafetensors(
        folder.resolve("in").resolve("part-3.safetensors"), rows, ROWS - 433, DemoRows.D_IN);
    ActivationSource changed = ActivationSource.open(List.of(folder.resolve("in")));
    assertThatThrownBy(() -> EncodeRun.toFolder(sae, changed, out("run"), OPTIONS))
        .isInstanceOf(EncodeRunException.class)
        .hasMessageContaining("source[3].ends_sha256 was");
  }

  @Test
  void toFolder_restart_deletesTheFilesOfTheRunAndNoOthers() throws IOException {
    EncodeRun.toFolder(sae, source(), out("run"), OPTIONS.rowsPerShard(10));
    Path notes = Files.writeString(out("run").resolve("notes.txt"), "mine");
    Files.writeString(out("run").resolve(".index.json.00000000000000ab.matryoshka.tmp"), "half");
    EncodeResult result = EncodeRun.toFolder(sae, source(), out("run"), OPTIONS.restart(true));
    assertThat(result.resumedRows()).isZero();
    assertThat(notes).hasContent("mine");
    Files.delete(notes);
    EncodeRun.toFolder(sae, source(), out("fresh"), OPTIONS);
    assertThat(DemoRows.contents(out("run"))).isEqualTo(DemoRows.contents(out("fresh")));
  }

  // --- What goes wrong

  @Test
  void toFolder_folderOfSomethingElse_isRefused() throws IOException {
    Files.createDirectories(out("run"));
    Files.createFile(out("run").resolve(name(1)));
    assertThatThrownBy(() -> EncodeRun.toFolder(sae, source(), out("run"), OPTIONS))
        .isInstanceOf(EncodeRunException.class)
        .hasMessageContainingAll("run", "neither checkpoint.json nor index.json");
    for (EncodeOptions options : List.of(OPTIONS, OPTIONS.restart(true))) {
      Files.writeString(out("run").resolve("index.json"), "{\"format\": \"other\"}");
      assertThatThrownBy(() -> EncodeRun.toFolder(sae, source(), out("run"), options))
          .isInstanceOf(EncodeRunException.class)
          .hasMessageContainingAll("index.json", "got 'other'");
      Files.writeString(out("run").resolve("index.json"), "{");
      assertThatThrownBy(() -> EncodeRun.toFolder(sae, source(), out("run"), options))
          .isInstanceOf(EncodeRunException.class)
          .hasMessageContainingAll("index.json", "is not the JSON");
    }
  }

  @Test
  void toFolder_placeTakenByAFile_saysSo() throws IOException {
    Files.createFile(out("run"));
    assertThatThrownBy(() -> EncodeRun.toFolder(sae, source(), out("run"), OPTIONS))
        .isInstanceOf(EncodeRunException.class)
        .hasMessageContainingAll("run", "cannot be written", "exists already");
    assertThatThrownBy(
            () -> EncodeRun.toFile(sae, source(), out("absent").resolve("a.safetensors"), OPTIONS))
        .isInstanceOf(EncodeRunException.class)
        .hasMessageContainingAll("a.safetensors", "cannot be written", "there is no folder");
  }

  @Test
  void toFolder_folderInUse_isRefused() throws IOException {
    ActivationSource source = source();
    EncodeOptions nested =
        OPTIONS.progress(
            (done, rows) ->
                assertThatThrownBy(() -> EncodeRun.toFolder(sae, source, out("run"), OPTIONS))
                    .isInstanceOf(EncodeRunException.class)
                    .hasMessageContaining("another encode run is writing"));
    EncodeRun.toFolder(sae, source, out("run"), nested);
    assertHolds(out("run"), encode(0, ROWS, Selection.threshold()));
  }

  @Test
  void toFolder_activationsOfAnotherWidth_isRefused() throws IOException {
    Path file = folder.resolve("narrow.safetensors");
    DemoRows.writeSafetensors(file, new float[20], 2, 10);
    ActivationSource narrow = ActivationSource.open(List.of(file));
    assertThatThrownBy(() -> EncodeRun.toFolder(sae, narrow, out("run"), OPTIONS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("d_in = 10", "d_in = 384");
    assertThat(out("run")).doesNotExist();
  }

  @Test
  void toFolder_fileChangedMeanwhile_stopsAndKeepsWhatIsDone() throws IOException {
    ActivationSource source = source();
    Path file = folder.resolve("in").resolve("part-3.safetensors");
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 5000));
    assertThatThrownBy(() -> EncodeRun.toFolder(sae, source, out("run"), OPTIONS))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("part-3.safetensors", "changed while it was read");
    assertThat(DemoRows.contents(out("run")).keySet())
        .contains("checkpoint.json", name(0))
        .doesNotContain("index.json")
        .noneMatch(name -> name.endsWith(".tmp"));
  }

  private ActivationSource withNonFinite(int... bad) throws IOException {
    float[] rows = DemoRows.rows(0, ROWS);
    for (int row : bad) {
      rows[row * DemoRows.D_IN + row % DemoRows.D_IN] =
          row % 2 == 0 ? Float.NaN : Float.NEGATIVE_INFINITY;
    }
    Path file = folder.resolve("bad.safetensors");
    DemoRows.writeSafetensors(file, rows, ROWS, DemoRows.D_IN);
    return ActivationSource.open(List.of(file));
  }

  @Test
  void toFolder_rowNotFinite_namesItAndMayBeResumedWithoutIt() throws IOException {
    ActivationSource source = withNonFinite(0, 301, 302, 449, 450, 699);
    EncodeOptions options = OPTIONS.batchRows(1);
    assertThatThrownBy(() -> EncodeRun.toFolder(sae, source, out("run"), options))
        .isInstanceOf(ActivationException.class)
        .hasMessageContainingAll("bad.safetensors: tensor \"acts\", row 0", "NaN");

    EncodeResult result =
        EncodeRun.toFolder(
            sae, source, out("run"), OPTIONS.rows(RowRules.all().skipNonFinite(true)));
    assertThat(result.nonFiniteRows()).isEqualTo(6);
    List<Integer> perShard = new ArrayList<>();
    index(out("run")).path("shards").forEach(s -> perShard.add(s.path("non_finite_rows").asInt()));
    assertThat(perShard).containsExactly(1, 0, 3, 1, 1);
    SparseLatents third = SparseLatents.load(out("run").resolve(name(2)));
    assertThat(third.activeCount(1)).isZero();
    assertThat(third.activeCount(149)).isZero();
    assertSame(third.rows(3, 149), encode(303, 146, Selection.threshold()));
    assertSame(third.rows(0, 1), encode(300, 1, Selection.threshold()));

    EncodeResult file =
        EncodeRun.toFile(
            sae,
            source,
            out("one.safetensors"),
            options.rows(RowRules.all().skipNonFinite(true)).batchRows(1));
    assertThat(file.nonFiniteRows()).isEqualTo(6);
    assertThat(file.entries()).isEqualTo(result.entries());
  }

  @Test
  void shards_openAsSafetensors() throws IOException {
    EncodeRun.toFolder(sae, source(), out("run"), OPTIONS);
    try (SafetensorsFile file = SafetensorsFile.open(out("run").resolve(name(4)))) {
      assertThat(file.metadata())
          .containsEntry("format", "matryoshka-sae/sparse-latents")
          .containsEntry("first_row", "600")
          .containsEntry("non_finite_rows", "0");
    }
  }
}
