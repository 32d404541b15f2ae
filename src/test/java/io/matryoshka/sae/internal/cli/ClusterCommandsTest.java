package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.spark.support.Bookworm;
import io.matryoshka.sae.spark.support.LocalSpark;
import io.matryoshka.sae.spark.support.SparkRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each command on a cluster gives what the same command gives on one machine. */
@Tag("spark")
class ClusterCommandsTest {

  private static final int ROWS = 900;
  private static final String DEMO = SparkRows.RELEASE + " " + SparkRows.SAE_ID;
  private static final String BOOKWORM =
      "--dir " + Bookworm.SAE_FOLDER + " --model " + Bookworm.MODEL;

  @TempDir static Path input;

  @TempDir Path folder;

  private static String files;
  private static String ids;

  @BeforeAll
  static void write() throws IOException {
    files = "-i " + SparkRows.write(input.resolve("in"), 500, ROWS - 500);
    Path file = input.resolve("ids.json");
    List<int[]> texts = new ArrayList<>();
    for (int t = 0; t < 9; t++) {
      int[] text = new int[20 + t];
      Arrays.setAll(text, i -> 3 + i * 37 % 4000);
      text[0] = 2;
      texts.add(text);
    }
    Files.writeString(file, texts.stream().map(Arrays::toString).toList().toString());
    ids = "--ids " + file;
  }

  /** Runs a command in both programs, which print the same. */
  private Cli.Result both(String shared, String ofCluster) {
    Cli.Result local = Cli.run((Object[]) shared.replace("OUT", folder + "/one").split(" "));
    Cli.Result cluster =
        ClusterCli.run(
            (Object[]) (shared.replace("OUT", folder + "/spark") + ofCluster).split(" "));
    assertThat(local.code()).as(local.err()).isZero();
    assertThat(cluster.code()).as(cluster.err()).isZero();
    assertThat(cluster.out()).isEqualTo(local.out());
    return cluster;
  }

  private String work() {
    return " --tokens-per-file 1 --work " + folder.resolve("work");
  }

  private void assertSameFiles(String... names) {
    for (String name : names) {
      assertThat(folder.resolve("spark" + name))
          .hasSameTextualContentAs(folder.resolve("one" + name));
    }
  }

  private static ObjectNode without(JsonNode json, String... fields) {
    return ((ObjectNode) json).remove(List.of(fields));
  }

  @Test
  void encode_files_writesTheBytesAndPrintsTheFiguresOfOneMachine() throws IOException {
    String words =
        "encode " + DEMO + " " + files + " --rows-per-shard 250 --batch 128 --top-k 7 --json -o ";

    Cli.Result one = Cli.run((Object[]) (words + folder.resolve("one")).split(" "));
    Cli.Result spark = ClusterCli.run((Object[]) (words + folder.resolve("spark")).split(" "));

    assertThat(spark.code()).as(spark.err()).isZero();
    assertThat(without(spark.json(), "output", "rows_per_second"))
        .isEqualTo(without(one.json(), "output", "rows_per_second"));
    assertThat(SparkRows.contents(folder.resolve("spark")))
        .hasSize(5)
        .isEqualTo(SparkRows.contents(folder.resolve("one")));

    Cli.Result again =
        ClusterCli.run(
            (Object[]) (words.replace(" --json", "") + folder.resolve("spark")).split(" "));
    assertThat(again.out()).contains("900 of the rows were there from an earlier run");
  }

  @Test
  void encode_ids_writesTheLatentsOfOneMachineAndLeavesNothingElse() throws IOException {
    String words = "encode " + BOOKWORM + " " + ids + " --rows-per-shard 60 -o ";

    Cli.Result one = Cli.run((Object[]) (words + folder.resolve("one")).split(" "));
    Cli.Result spark =
        ClusterCli.run((Object[]) (words + folder.resolve("spark") + work()).split(" "));

    assertThat(one.code()).as(one.err()).isZero();
    assertThat(spark.code()).as(spark.err()).isZero();
    var written = SparkRows.contents(folder.resolve("spark"));
    var expected = SparkRows.contents(folder.resolve("one"));
    assertThat(written.keySet()).isEqualTo(expected.keySet()).hasSize(5);
    written.forEach(
        (name, content) -> {
          if (name.endsWith(".safetensors")) {
            assertThat(content).as(name).isEqualTo(expected.get(name));
          }
        });
    assertThat(folder.resolve("work")).doesNotExist();
  }

  @Test
  void encode_parquet_hasARowForEach() throws IOException {
    String target = folder.resolve("latents.parquet").toString();

    Cli.Result result =
        ClusterCli.run(
            (Object[])
                ("encode " + DEMO + " " + files + " --parquet --json -o " + target).split(" "));

    assertThat(result.json().path("rows").asInt()).as(result.err()).isEqualTo(ROWS);
    assertThat(LocalSpark.session().read().parquet(target).count()).isEqualTo(ROWS);
  }

  @Test
  void evaluate_files_givesTheReportsOfOneMachine() {
    String reports = " --html OUT.html --csv OUT.csv --latents-csv OUT-latents.csv";

    Cli.Result text = both("evaluate " + DEMO + " " + files + " --batch 200" + reports, "");

    assertThat(text.out()).contains("900 rows counted", "explained variance");
    assertSameFiles(".html", ".csv", "-latents.csv");
    both("evaluate " + DEMO + " " + files + " --prefix 128 --batch-top-k 9 --json", "");
  }

  @Test
  void evaluate_ids_givesTheFiguresOfOneMachine() {
    Cli.Result found = both("evaluate " + BOOKWORM + " " + ids + " --json", work());
    Cli.Result all =
        both("evaluate " + BOOKWORM + " " + ids + " --skip-special-tokens --json", work());

    assertThat(found.out()).contains("\"rows\"");
    assertThat(all.out()).contains("\"masked_rows\" : 9");
    assertThat(folder.resolve("work")).doesNotExist();
  }

  @Test
  void explore_files_givesTheReportsOfOneMachine() throws IOException {
    Path labels = Files.writeString(folder.resolve("labels.csv"), "latent,label\n3,colours\n");
    String words = " --latent 0-3 9 --contexts 3 --reach 2 --labels-file " + labels;
    String reports = " --html OUT.html --csv OUT.csv";

    Cli.Result text = both("explore " + DEMO + " " + files + words + reports, "");

    assertThat(text.out()).contains("Latent 9", "nearest by decoder");
    assertSameFiles(".html", ".csv");
    assertThat(folder.resolve("spark.html")).content().contains("colours");
  }

  @Test
  void explore_ids_hasTheirPiecesAsContexts() {
    both("explore " + BOOKWORM + " " + ids + " --latent 3 --contexts 2 --json", work());
  }

  @Test
  void explore_against_comparesAsOneMachineDoes() throws IOException {
    String base = "explore " + DEMO + " " + files + " --latent 1 --json ";
    Path others = SparkRows.write(folder.resolve("others"), 300);

    both(base + "--against-input " + others, "");
    Cli.Result saes = both(base + "--against " + DEMO.replace(' ', ':'), "");

    assertThat(saes.json().path("comparison").isMissingNode()).isFalse();
  }

  @Test
  void activations_areThoseOfOneMachine() throws IOException {
    String words =
        "activations --model "
            + Bookworm.MODEL
            + " "
            + ids
            + " --json --hooks "
            + Bookworm.SAE_HOOK;

    Cli.Result one =
        Cli.run((Object[]) (words + " -o " + folder.resolve("one.safetensors")).split(" "));
    Cli.Result spark =
        ClusterCli.run((Object[]) (words + " -o " + folder.resolve("spark")).split(" "));

    assertThat(spark.code()).as(spark.err()).isZero();
    assertThat(without(spark.json(), "output", "files", "resumed_files"))
        .isEqualTo(without(one.json(), "output", "resumed_rows"));
    assertThat(
            Bookworm.read(
                List.of(folder.resolve("spark/activations-00000.safetensors")), Bookworm.SAE_HOOK))
        .isEqualTo(Bookworm.read(List.of(folder.resolve("one.safetensors")), Bookworm.SAE_HOOK));
  }

  @Test
  void texts_arePackedAsOnOneMachine() throws IOException {
    Path text = folder.resolve("text.jsonl");
    Files.writeString(text, "\"Once upon a time. \"\n\"There was a small bear.\"\n");

    both("evaluate " + BOOKWORM + " --json --context-size 8 --text-file " + text, work());
    both("evaluate " + BOOKWORM + " --json --text Once", work());
  }

  @Test
  void modelThatNobodyNamed_isToldOnce() {
    String words = "evaluate bookworm-3m-res-matryoshka-demo --json " + ids;
    assertThat(both(words, work()).err()).containsOnlyOnce("note: the language model is ");
    assertThat(both(words + " --quiet", work()).err()).doesNotContain("language model");
    assertThat(both("evaluate " + BOOKWORM + " --json " + ids, work()).err())
        .doesNotContain("language model");
  }

  @Test
  void failures_haveTheExitCodesOfTheCommandLine() throws IOException {
    float[] rows = SparkRows.rows(0, 100);
    rows[70 * SparkRows.D_IN] = Float.NaN;
    Path nan = SparkRows.write(folder, 0, rows);
    Path text = Files.writeString(folder.resolve("text.npy"), "no array");

    assertFailure("row 70 (row 70 of all): holds a NaN", "evaluate " + DEMO + " -i " + nan);
    assertFailure("text.npy", "evaluate " + DEMO + " -i " + text);
    assertFailure("none.npy", "evaluate " + DEMO + " -i none.npy");
    assertFailure("expected a folder with cfg.json", "evaluate --dir none " + files);
    assertFailure("nosuch", "encode nosuch x -o out " + files);
    assertFailure("384", "evaluate --dir " + Bookworm.SAE_FOLDER + " " + files);
    assertFailure("for transcoders", "evaluate " + DEMO + " " + files + " --target " + nan);
    assertFailure("one element per row", "evaluate " + DEMO + " " + files + " --mask " + nan);
  }

  private static void assertFailure(String message, String words) {
    Cli.Result local = Cli.run((Object[]) words.split(" "));
    Cli.Result result = ClusterCli.run((Object[]) words.split(" "));
    assertThat(local.code()).isPositive();
    assertThat(result.code()).as(result.err()).isEqualTo(local.code());
    assertThat(result.err()).startsWith("SparkMain ").contains(message).hasLineCount(1);
    assertThat(result.out()).isEmpty();
  }
}
