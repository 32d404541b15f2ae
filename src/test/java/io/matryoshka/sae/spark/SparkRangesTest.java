package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationOptions;
import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.explore.Exploration;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.spark.support.LocalSpark;
import io.matryoshka.sae.spark.support.SparkRows;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Evaluations, explorations and data frames of row ranges equal those of one machine. */
@Tag("spark")
class SparkRangesTest {

  private static final int ROWS = 5000;

  @TempDir static Path folder;

  private static SAE sae;
  private static ActivationSource local;
  private static SparkRuns runs;
  private static ActivationSource source;

  @BeforeAll
  static void open() throws IOException {
    Path in = SparkRows.write(folder.resolve("in"), 1700, 2300, 1000);
    sae = SparkRows.sae();
    local = ActivationSource.open(List.of(in), sae.dIn());
    runs = SparkRuns.on(LocalSpark.session(), SparkRows.ref());
    source = runs.open(List.of("publish://" + in));
  }

  @AfterAll
  static void close() {
    sae.close();
  }

  private static String figures(Evaluation evaluation) throws IOException {
    return new EvaluationReport("demo", evaluation, Optional.empty(), Optional.empty()).json();
  }

  /** 40 ranges are joined on two levels. */
  @Test
  void evaluate_manyRanges_givesTheFiguresOfOneMachine() throws IOException {
    EvaluationRunOptions options =
        EvaluationRunOptions.defaults()
            .evaluation(EvaluationOptions.defaults().batchRows(64).selection(Selection.topK(9)));
    Evaluation found = runs.evaluate(source, options);

    Evaluation expected = EvaluationRun.run(sae, local, options);
    assertThat(found).isEqualTo(expected);
    assertThat(figures(found)).isEqualTo(figures(expected));
  }

  @Test
  void evaluate_batchTopKWithBatchesOfTheDefault_givesTheFiguresOfOneMachine() throws IOException {
    EvaluationRunOptions options =
        EvaluationRunOptions.defaults()
            .evaluation(EvaluationOptions.defaults().selection(Selection.batchTopK(12)));

    assertThat(runs.evaluate(source, options)).isEqualTo(EvaluationRun.run(sae, local, options));
  }

  @Test
  void evaluate_rowThatIsNotFinite_endsTheJobOrIsCounted(@TempDir Path other) throws IOException {
    float[] rows = SparkRows.rows(0, 3000);
    rows[2500 * SparkRows.D_IN] = Float.POSITIVE_INFINITY;
    SparkRows.write(other, 1, rows);
    ActivationSource broken = runs.open(List.of(other.toString()));

    assertThatThrownBy(() -> runs.evaluate(broken, EvaluationRunOptions.defaults()))
        .isInstanceOf(SparkJobException.class)
        .hasMessageContaining("row 2500 (row 2500 of all): holds a NaN or an infinity");
    assertThatThrownBy(() -> runs.explore(broken, ExplorerOptions.defaults()))
        .isInstanceOf(SparkJobException.class)
        .hasMessageContaining("row 2500 (row 2500 of all)");
    EvaluationRunOptions skipping =
        EvaluationRunOptions.defaults().rows(RowRules.all().skipNonFinite(true));
    assertThat(runs.evaluate(broken, skipping).nonFiniteRows()).isEqualTo(1);
  }

  @Test
  void explore_manyRanges_findsWhatOneMachineFinds() throws IOException {
    List<Integer> latents = IntStream.range(0, 30).mapToObj(i -> i * 7).toList();
    ExplorerOptions options =
        new ExplorerOptions(latents, 5, 6, 4, 3, 1 << 22, 64, RowRules.all(), true);

    Exploration found = runs.explore(source, options);

    Exploration expected = new Explorer(sae).explore(local, options);
    assertThat(found.missedPairs()).isZero();
    assertThat(expected.missedPairs()).isZero();
    assertThat(found.rows()).isEqualTo(ROWS);
    assertThat(found.statistics()).isEqualTo(expected.statistics());
    assertThat(found.profiles()).isEqualTo(expected.profiles());
    assertThat(found.contexts(1000)).isEqualTo(expected.contexts(1000));
  }

  @Test
  void latents_asParquet_areThoseOfTheSae() throws IOException {
    String parquet = folder.resolve("latents.parquet").toString();
    EncodeOptions options = EncodeOptions.defaults().batchRows(512).rowsPerShard(1000);

    runs.encodeToParquet(source, parquet, options);

    List<Row> rows = LocalSpark.session().read().parquet(parquet).orderBy("row").collectAsList();
    float[] x = SparkRows.rows(0, ROWS);
    SparseLatents expected = sae.encodeSparse(FloatBuffer.wrap(x), ROWS);
    int[] offsets = expected.rowOffsets();
    assertThat(rows).hasSize(ROWS);
    for (int i = 0; i < ROWS; i++) {
      assertThat(rows.get(i).getLong(0)).isEqualTo(i);
      assertThat(rows.get(i).<Integer>getList(1))
          .isEqualTo(
              Arrays.stream(expected.latents(), offsets[i], offsets[i + 1]).boxed().toList());
      float[] values = Arrays.copyOfRange(expected.activations(), offsets[i], offsets[i + 1]);
      assertThat(rows.get(i).<Float>getList(2))
          .isEqualTo(IntStream.range(0, values.length).mapToObj(j -> values[j]).toList());
    }
    assertThatThrownBy(() -> runs.encodeToParquet(source, parquet, options))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("latents.parquet already exists");
  }
}
