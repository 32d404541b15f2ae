package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.spark.support.LocalSpark;
import io.matryoshka.sae.spark.support.SparkRows;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.linalg.SparseVector;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The transformer gives what the SAE gives, for every form of the column. */
@Tag("spark")
class SaeEncoderTest {

  private static final String DEMO = SparkRows.RELEASE + ":" + SparkRows.SAE_ID;
  private static final int ROWS = 96;
  private static final int D_IN = SparkRows.D_IN;

  private static float[] x;
  private static SparseLatents expected;

  @TempDir Path folder;

  @BeforeAll
  static void encode() throws IOException {
    x = SparkRows.rows(0, ROWS);
    try (SAE sae = SparkRows.sae()) {
      expected = sae.encodeSparse(FloatBuffer.wrap(x), ROWS);
    }
  }

  private static float[] row(int row) {
    return Arrays.copyOfRange(x, row * D_IN, (row + 1) * D_IN);
  }

  /** Rows with an id, a text, and a column of activations. */
  private static Dataset<Row> rows(DataType type, List<Object> cells) {
    StructType schema =
        new StructType()
            .add("id", DataTypes.IntegerType)
            .add("activation", type)
            .add("text", DataTypes.StringType);
    List<Row> rows =
        IntStream.range(0, cells.size())
            .mapToObj(i -> RowFactory.create(i, cells.get(i), "row " + i))
            .toList();
    return LocalSpark.session().createDataFrame(rows, schema).repartition(3);
  }

  private static Dataset<Row> floats() {
    return rows(
        DataTypes.createArrayType(DataTypes.FloatType),
        IntStream.range(0, ROWS).mapToObj(i -> (Object) row(i)).toList());
  }

  private static SaeEncoder encoder() {
    return new SaeEncoder().setSae(DEMO);
  }

  private static void assertLatents(Row cell, SparseLatents latents, int row) {
    List<Integer> indices = new ArrayList<>();
    List<Float> values = new ArrayList<>();
    latents.forEach(
        row,
        (latent, activation) -> {
          indices.add(latent);
          values.add(activation);
        });
    assertThat(cell.<Integer>getList(0)).isEqualTo(indices);
    assertThat(cell.<Float>getList(1)).isEqualTo(values);
  }

  private static void assertAll(Dataset<Row> encoded) {
    List<Row> rows = encoded.select("id", "latents").orderBy("id").collectAsList();
    assertThat(rows).hasSize(ROWS);
    for (int i = 0; i < ROWS; i++) {
      assertThat(rows.get(i).getInt(0)).isEqualTo(i);
      assertLatents(rows.get(i).getStruct(1), expected, i);
    }
  }

  @Test
  void transform_floats_equalsTheSae_andLeavesTheInputOut() {
    Dataset<Row> encoded = encoder().setBatchRows(7).transform(floats());

    assertThat(encoded.columns()).containsExactly("id", "text", "latents");
    assertThat(encoded.schema()).isEqualTo(encoder().transformSchema(floats().schema()));
    assertAll(encoded);
  }

  @Test
  void transform_keepInput_keepsItWhereItWas() {
    Dataset<Row> encoded = encoder().setKeepInput(true).transform(floats());

    assertThat(encoded.columns()).containsExactly("id", "activation", "text", "latents");
    Row first = encoded.orderBy("id").first();
    assertThat(first.<Float>getList(1)).hasSize(D_IN).first().isEqualTo(x[0]);
    assertThat(first.getString(2)).isEqualTo("row 0");
    assertAll(encoded);
  }

  @Test
  void transform_doublesAndVectors_areRoundedToFloat() {
    Dataset<Row> floats = floats();
    Dataset<Row> doubles =
        floats.withColumn("activation", functions.col("activation").cast("array<double>"));
    Dataset<Row> vectors =
        doubles.withColumn(
            "activation",
            org.apache.spark.ml.functions.array_to_vector(functions.col("activation")));

    assertAll(encoder().transform(doubles));
    assertAll(encoder().transform(vectors));
  }

  @Test
  void transform_sequences_encodesEveryToken() {
    int tokens = 5;
    List<Object> sequences = new ArrayList<>();
    for (int first = 0; first + tokens <= ROWS; first += tokens) {
      int begin = first;
      sequences.add(IntStream.range(0, tokens).mapToObj(i -> row(begin + i)).toArray());
    }
    sequences.add(new Object[0]);
    Dataset<Row> nested =
        rows(DataTypes.createArrayType(DataTypes.createArrayType(DataTypes.FloatType)), sequences);

    List<Row> encoded = encoder().setBatchRows(12).transform(nested).orderBy("id").collectAsList();

    for (int i = 0; i < encoded.size() - 1; i++) {
      List<Row> cells = encoded.get(i).getList(2);
      assertThat(cells).hasSize(tokens);
      for (int token = 0; token < tokens; token++) {
        assertLatents(cells.get(token), expected, i * tokens + token);
      }
    }
    assertThat(encoded.get(encoded.size() - 1).<Row>getList(2)).isEmpty();
  }

  @Test
  void transform_vectorOutput_holdsTheLatents() {
    Row first = encoder().setOutputType("vector").transform(floats()).orderBy("id").first();

    SparseVector latents = (SparseVector) first.get(2);
    assertThat(latents.size()).isEqualTo(2048);
    assertThat(latents.indices())
        .isEqualTo(Arrays.copyOf(expected.latents(), expected.activeCount(0)));
    assertThat(latents.values()[0]).isEqualTo(expected.activations()[0]);
  }

  @Test
  void transform_prefixAndTopK_equalThoseOfTheSae() throws IOException {
    List<Row> encoded =
        encoder()
            .setPrefix(128)
            .setSelection(Selection.topK(4))
            .transform(floats())
            .orderBy("id")
            .collectAsList();

    try (SAE whole = SparkRows.sae();
        SAE prefix = whole.prefix(128)) {
      SparseLatents latents = prefix.encodeSparse(FloatBuffer.wrap(x), ROWS, Selection.topK(4));
      for (int i = 0; i < ROWS; i++) {
        assertLatents(encoded.get(i).getStruct(2), latents, i);
      }
    }
  }

  @Test
  void transform_rowThatCannotBeEncoded_failsOrIsSkipped() {
    List<Object> cells = new ArrayList<>();
    float[] broken = row(1);
    broken[5] = Float.NaN;
    cells.add(row(0));
    cells.add(broken);
    cells.add(null);
    cells.add(row(3));
    Dataset<Row> rows = rows(DataTypes.createArrayType(DataTypes.FloatType), cells);

    assertThatThrownBy(() -> encoder().transform(rows).collectAsList())
        .hasStackTraceContaining("the column 'activation'")
        .hasStackTraceContaining("handleInvalid = skip");
    List<Row> kept =
        encoder().setHandleInvalid("skip").transform(rows).orderBy("id").collectAsList();
    assertThat(kept).extracting(row -> row.getInt(0)).containsExactly(0, 3);
    assertLatents(kept.get(1).getStruct(2), expected, 3);
  }

  @Test
  void transform_otherWidth_saysWhich() {
    Dataset<Row> rows =
        rows(DataTypes.createArrayType(DataTypes.FloatType), List.of(new float[383]));

    assertThatThrownBy(() -> encoder().transform(rows).collectAsList())
        .hasStackTraceContaining("must hold d_in = 384 numbers an activation, got 383");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nothing:", "all-minilm-l6-v2-matryoshka-demo:other"})
  void transform_unknownSae_isRefusedOnTheDriver(String name) {
    assertThatThrownBy(() -> new SaeEncoder().setSae(name).transform(floats()))
        .isInstanceOf(Exception.class)
        .hasMessageContaining(name.split(":")[0]);
  }

  @ParameterizedTest
  @CsvSource({
    "absent, latents, there is no column 'absent'",
    "text, latents, must hold array<float>",
    "activation, id, 'id' (outputCol) is there already"
  })
  void transformSchema_columnsThatDoNotFit_areRefused(String in, String out, String message) {
    assertThatThrownBy(
            () -> encoder().setInputCol(in).setOutputCol(out).transformSchema(floats().schema()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void setters_wrongValues_areRefused() {
    assertThatThrownBy(() -> encoder().setSelection(Selection.batchTopK(3)))
        .hasMessageContaining("batchTopK(3)")
        .hasMessageContaining("SparkRuns.encode");
    assertThatThrownBy(() -> encoder().setOutputType("map"))
        .hasMessageContaining("struct or vector");
    assertThatThrownBy(() -> encoder().setHandleInvalid("keep"))
        .hasMessageContaining("error or skip");
    assertThatThrownBy(() -> encoder().setBatchRows(0)).hasMessageContaining("at least 1");
    assertThatThrownBy(() -> new SaeEncoder().setSae("demo"))
        .hasMessageContaining("RELEASE:SAE_ID");
    assertThatThrownBy(() -> new SaeEncoder().transform(floats())).hasMessageContaining("setSae");
  }

  @Test
  void pipeline_savedAndLoaded_encodesTheSame() throws IOException {
    SaeEncoder encoder = encoder().setBatchRows(50).setPrefix(2048);
    PipelineModel model = new Pipeline().setStages(new PipelineStage[] {encoder}).fit(floats());
    String path = folder.resolve("pipeline").toString();
    model.write().overwrite().save(path);

    PipelineModel loaded = PipelineModel.load(path);

    assertThat(loaded.stages()[0]).isInstanceOf(SaeEncoder.class);
    assertThat(loaded.stages()[0].uid()).isEqualTo(encoder.uid());
    assertThat(loaded.stages()[0].explainParams()).isEqualTo(encoder.explainParams());
    assertAll(loaded.transform(floats()));
  }
}
