package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.spark.support.LocalSpark;
import io.matryoshka.sae.spark.support.SparkRows;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of activations as a data frame. */
@Tag("spark")
class ActivationsDataSourceTest {

  private static final int ROWS = 2500;
  private static final int D_IN = SparkRows.D_IN;

  @TempDir static Path folder;

  private static float[] expected;

  @BeforeAll
  static void write() throws IOException {
    SparkRows.write(folder, 700, 0, 1100, 700);
    expected = SparkRows.rows(0, ROWS);
  }

  private static DataFrameReader reader() {
    return LocalSpark.session()
        .read()
        .format("activations")
        .option("dIn", D_IN)
        .option("rowsPerPartition", 1000);
  }

  /** On the disk, and on a store that Hadoop reads. */
  @ParameterizedTest
  @ValueSource(strings = {"", "file://", "publish://"})
  void load_folder_givesEveryRowInOrder(String scheme) {
    Dataset<Row> rows = reader().load(scheme + folder);

    assertThat(rows.schema().catalogString())
        .isEqualTo("struct<row:bigint,activation:array<float>>");
    assertThat(rows.rdd().getNumPartitions()).isEqualTo(3);
    List<Row> found = rows.collectAsList();
    assertThat(found).hasSize(ROWS);
    for (int i = 0; i < ROWS; i++) {
      assertThat(found.get(i).getLong(0)).isEqualTo(i);
      List<Float> values = found.get(i).getList(1);
      assertThat(values).hasSize(D_IN);
      for (int d = 0; d < D_IN; d++) {
        assertThat(values.get(d)).isEqualTo(expected[i * D_IN + d]);
      }
    }
  }

  @Test
  void load_hiddenColumns_tellWhereARowIsStored() {
    Dataset<Row> rows = reader().load(folder.toString());

    List<Row> found =
        rows.select("row", "_file", "_file_row")
            .where("row in (0, 699, 700, 1800)")
            .collectAsList();

    assertThat(found)
        .extracting(row -> row.getString(1).replaceAll(".*/", "") + " " + row.getLong(2))
        .containsExactly("part-0.npy 0", "part-0.npy 699", "part-2.npy 0", "part-3.safetensors 0");
  }

  /** Files are damaged after their headers were read, so that reading them would be noticed. */
  @Test
  void load_columnsThatNobodyAsksFor_areNotRead(@TempDir Path other) throws IOException {
    SparkRows.write(other, 300, 400);
    Dataset<Row> rows = reader().load(other.toString());
    for (String name : List.of("part-0.npy", "part-1.safetensors")) {
      Files.write(other.resolve(name), new byte[10]);
    }

    assertThat(rows.count()).isEqualTo(700);
    assertThat(rows.agg(functions.sum("row")).first().getLong(0)).isEqualTo(699L * 700 / 2);
    assertThatThrownBy(() -> rows.collectAsList())
        .hasStackTraceContaining("part-0.npy: the file changed while it was read");
  }

  @Test
  void load_limit_readsNoFileBeyondIt(@TempDir Path other) throws IOException {
    SparkRows.write(other, 300, 400);
    Dataset<Row> rows = reader().load(other.toString());
    Files.write(other.resolve("part-1.safetensors"), new byte[10]);

    assertThat(rows.limit(300).collectAsList()).hasSize(300);
    assertThat(rows.limit(5).collectAsList())
        .extracting(row -> row.getLong(0))
        .containsExactly(0L, 1L, 2L, 3L, 4L);
    assertThat(rows.limit(3000).select("row").count()).isEqualTo(700);
  }

  @Test
  void load_statistics_areThoseOfTheHeaders() {
    assertThat(
            reader()
                .load(folder.toString())
                .queryExecution()
                .optimizedPlan()
                .stats()
                .sizeInBytes()
                .toString())
        .isEqualTo(String.valueOf((long) ROWS * (8 + 4 * D_IN)));
  }

  @Test
  void load_severalPathsAndPatterns_areReadInTheOrderGiven() {
    Dataset<Row> rows =
        reader().load(folder.resolve("part-3.safetensors").toString(), folder + "/part-[02].npy");

    Row first = rows.select("_file").first();
    assertThat(first.getString(0)).endsWith("part-3.safetensors");
    assertThat(rows.count()).isEqualTo(700 + 700 + 1100);
  }

  @ParameterizedTest
  @CsvSource({
    "dIn, 385, part-0.npy",
    "as, int8, expected float16 or bfloat16",
    "tensor, absent, has no tensor",
    "rowsPerPartition, 0, expected at least 1"
  })
  void load_optionsThatDoNotFit_sayWhat(String option, String value, String message) {
    assertThatThrownBy(() -> reader().option(option, value).load(folder.toString()))
        .hasMessageContaining(message);
  }

  @Test
  void load_nothingThere_saysWhere(@TempDir Path empty) {
    assertThatThrownBy(() -> reader().load(empty.toString()))
        .hasMessageContaining("no .safetensors and no .npy file");
    assertThatThrownBy(() -> reader().load(empty + "/absent"))
        .hasMessageContaining("no such file or folder");
  }

  /** From files to latents without a job of our own. */
  @Test
  void load_thenEncode_givesTheLatentsOfTheSae() throws IOException {
    Dataset<Row> encoded =
        new SaeEncoder()
            .setSae(SparkRows.RELEASE + ":" + SparkRows.SAE_ID)
            .transform(reader().load("publish://" + folder));

    assertThat(encoded.select("row").distinct().count()).isEqualTo(ROWS);
    try (SAE sae = SparkRows.sae()) {
      assertThat(encoded.agg(functions.expr("sum(size(latents.latents))")).first().getLong(0))
          .isEqualTo(sae.encodeSparse(FloatBuffer.wrap(expected), ROWS).activeCount());
    }
  }
}
