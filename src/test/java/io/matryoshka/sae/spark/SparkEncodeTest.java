package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.internal.spark.host.Selections;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.spark.support.LocalSpark;
import io.matryoshka.sae.spark.support.PublishingFileSystem;
import io.matryoshka.sae.spark.support.SparkRows;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.EncodeRun;
import io.matryoshka.sae.stream.EncodeRunException;
import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A run of encoding on Spark writes the bytes of a run on one machine. */
@Tag("spark")
class SparkEncodeTest {

  private static final int ROWS = 3000;

  private static final EncodeOptions OPTIONS =
      EncodeOptions.defaults().saeName("demo").batchRows(128).rowsPerShard(500);

  @TempDir Path folder;

  private Path in;
  private SparkRuns runs;

  @BeforeEach
  void write() throws IOException {
    in = SparkRows.write(folder.resolve("in"), 1100, 0, 1500, 400);
    runs = SparkRuns.on(LocalSpark.session(), SparkRows.ref());
  }

  private Map<String, Integer> onOneMachine(EncodeOptions options) throws IOException {
    Path run = folder.resolve("one-machine");
    try (SAE sae = SparkRows.sae()) {
      ActivationSource source = ActivationSource.open(List.of(in), sae.dIn());
      EncodeRun.toFolder(sae, source, run, options);
    }
    return SparkRows.contents(run);
  }

  private EncodeResult encode(Path out, EncodeOptions options) throws IOException {
    return runs.encode(runs.open(List.of(in.toString())), out.toString(), options);
  }

  /** Shards end within batches here; batch top-k shows that batches are those of one machine. */
  @ParameterizedTest
  @CsvSource({"'', threshold", "file://, topK(5)", "publish://, batchTopK(7)"})
  void encode_anyStore_writesTheBytesOfOneMachine(String scheme, String selection)
      throws IOException {
    EncodeOptions options = OPTIONS.selection(Selections.parse(selection).orElseThrow());
    Map<String, Integer> expected = onOneMachine(options);
    Path out = folder.resolve("out");

    EncodeResult result = runs.encode(runs.open(List.of(scheme + in)), scheme + out, options);

    assertThat(SparkRows.contents(out)).isEqualTo(expected);
    assertThat(expected).hasSize(7).containsKey("index.json");
    assertThat(result.rows()).isEqualTo(ROWS);
    assertThat(result.shards()).isEqualTo(6);
    assertThat(result.resumedRows()).isZero();
  }

  @Test
  void encode_maskAndRowsThatAreNotFinite_writesTheBytesOfOneMachine() throws IOException {
    float[] rows = SparkRows.rows(0, 1100);
    rows[700 * SparkRows.D_IN + 3] = Float.NaN;
    SparkRows.write(in, 0, rows);
    Path mask = folder.resolve("mask.npy");
    float[] kept = new float[ROWS];
    for (int row = 0; row < ROWS; row++) {
      kept[row] = row % 3;
    }
    try (NpyWriter writer = NpyWriter.create(mask, ROWS)) {
      writer.write(kept, 0, ROWS);
      writer.finish();
    }
    EncodeOptions options =
        OPTIONS.rows(RowRules.all().mask(RowMask.open(mask, Optional.empty())).skipNonFinite(true));
    Map<String, Integer> expected = onOneMachine(options);

    EncodeResult result = encode(folder.resolve("out"), options);

    assertThat(SparkRows.contents(folder.resolve("out"))).isEqualTo(expected);
    assertThat(result.maskedRows()).isEqualTo(1000);
    assertThat(result.nonFiniteRows()).isEqualTo(1);
  }

  @Test
  void encode_again_writesNothing_andGoesOnWhereFilesAreMissingOrDamaged() throws IOException {
    Path out = folder.resolve("out");
    encode(out, OPTIONS);
    Map<String, Integer> expected = SparkRows.contents(out);
    Map<String, FileTime> before = times(out);

    EncodeResult again = encode(out, OPTIONS);

    assertThat(again.resumedRows()).isEqualTo(ROWS);
    assertThat(times(out)).containsAllEntriesOf(shardsOnly(before));

    String missing = "latents-00001-of-00006.safetensors";
    String damaged = "latents-00004-of-00006.safetensors";
    Files.delete(out.resolve(missing));
    Files.write(out.resolve(damaged), new byte[7]);
    EncodeResult resumed = encode(out, OPTIONS);

    assertThat(resumed.resumedRows()).isEqualTo(ROWS - 2 * 500);
    assertThat(SparkRows.contents(out)).isEqualTo(expected);
    Map<String, FileTime> others = shardsOnly(before);
    others.remove(missing);
    others.remove(damaged);
    assertThat(times(out)).containsAllEntriesOf(others);
  }

  private static Map<String, FileTime> times(Path out) throws IOException {
    Map<String, FileTime> times = new TreeMap<>();
    for (String name : SparkRows.contents(out).keySet()) {
      times.put(name, Files.getLastModifiedTime(out.resolve(name)));
    }
    return times;
  }

  private static Map<String, FileTime> shardsOnly(Map<String, FileTime> times) {
    Map<String, FileTime> shards = new TreeMap<>(times);
    shards.keySet().removeIf(name -> !name.startsWith("latents-"));
    return shards;
  }

  @Test
  void encode_runOfOneMachine_isFinishedOnSpark_andTheOtherWayRound() throws IOException {
    Path out = folder.resolve("one-machine");
    Map<String, Integer> expected = onOneMachine(OPTIONS);
    Files.delete(out.resolve("latents-00002-of-00006.safetensors"));
    Files.move(out.resolve("index.json"), out.resolve("checkpoint.json"));

    assertThat(encode(out, OPTIONS).resumedRows()).isEqualTo(2500);
    assertThat(SparkRows.contents(out)).isEqualTo(expected);

    Files.delete(out.resolve("latents-00002-of-00006.safetensors"));
    assertThat(onOneMachine(OPTIONS)).isEqualTo(expected);
  }

  @Test
  void encode_folderOfAnotherRun_isRefused_andReplacedByRestart() throws IOException {
    Path out = folder.resolve("out");
    encode(out, OPTIONS.selection(Selection.topK(3)));

    assertThatThrownBy(() -> encode(out, OPTIONS))
        .isInstanceOf(EncodeRunException.class)
        .hasMessageContaining("selection was \"topK(3)\"");
    encode(out, OPTIONS.restart(true));
    assertThat(SparkRows.contents(out)).isEqualTo(onOneMachine(OPTIONS));
  }

  /** A store publishes on close also after a write has failed; a shard must not appear so. */
  @Test
  void encode_storeFailsInTheMiddleOfAWrite_isTriedAgain_andNothingHalfIsPublished()
      throws IOException {
    Path marker = Files.createFile(folder.resolve("fail-once"));
    Path out = folder.resolve("out");
    LocalSpark.session()
        .sparkContext()
        .hadoopConfiguration()
        .set(PublishingFileSystem.FAIL_ONCE, marker.toString());
    try {
      SparkRuns withFault = SparkRuns.on(LocalSpark.session(), SparkRows.ref());
      withFault.encode(withFault.open(List.of(in.toString())), "publish://" + out, OPTIONS);
    } finally {
      LocalSpark.session()
          .sparkContext()
          .hadoopConfiguration()
          .unset(PublishingFileSystem.FAIL_ONCE);
    }

    assertThat(marker).doesNotExist();
    assertThat(SparkRows.contents(out)).isEqualTo(onOneMachine(OPTIONS));
  }

  @Test
  void encode_rowThatIsNotFinite_endsTheJobWithTheMessageOfOneMachine() throws IOException {
    float[] rows = SparkRows.rows(0, 1100);
    rows[700 * SparkRows.D_IN + 3] = Float.NaN;
    SparkRows.write(in, 0, rows);
    Path out = folder.resolve("out");

    assertThatThrownBy(() -> encode(out, OPTIONS))
        .isInstanceOf(SparkJobException.class)
        .hasMessageContaining("part-0.npy, row 700 (row 700 of all): holds a NaN or an infinity")
        .hasMessageContaining("--skip-non-finite");
    assertThat(SparkRows.contents(out))
        .containsKey("checkpoint.json")
        .doesNotContainKeys("index.json", "latents-00001-of-00006.safetensors");
  }

  @Test
  void encode_fileChangedOrCutOffMeanwhile_endsTheJob() throws IOException {
    ActivationSource source = runs.open(List.of(in.toString()));
    String out = folder.resolve("out").toString();
    Path changed = in.resolve("part-3.safetensors");
    Files.setLastModifiedTime(changed, FileTime.fromMillis(1000));

    assertThatThrownBy(() -> runs.encode(source, out, OPTIONS))
        .isInstanceOf(SparkJobException.class)
        .hasMessageContaining("part-3.safetensors: the file changed while it was read");

    Files.write(changed, new byte[100]);
    assertThatThrownBy(() -> runs.open(List.of(in.toString())))
        .hasMessageContaining("part-3.safetensors");
  }

  @Test
  void encode_hadoopChecksumsAndHalves_leaveNoFilesBehind() throws IOException {
    Path out = Files.createDirectories(folder.resolve("out"));
    Files.write(out.resolve("._half-latents-00000-of-00006.safetensors-x"), new byte[5]);

    encode(out, OPTIONS);

    assertThat(SparkRows.contents(out).keySet()).noneMatch(name -> name.startsWith("."));
  }
}
