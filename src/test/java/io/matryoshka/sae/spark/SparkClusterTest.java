package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.EvaluationOptions;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.eval.TextEvaluationRun;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.internal.spark.job.ExportJob;
import io.matryoshka.sae.lm.ActivationExport;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.spark.support.Bookworm;
import io.matryoshka.sae.spark.support.SparkRows;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeRun;
import io.matryoshka.sae.support.HandSae;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real cluster of processes gives the bytes and figures of one machine, whoever is killed
 * meanwhile. The last test loses workers.
 */
@Tag("spark")
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SparkClusterTest {

  private static final int ROWS = 65_536;

  /** Some 24,000 tokens, which make six files of activations. */
  private static final int TIMES = 50;

  private static final String TEXT_FIGURES = "text-evaluation.json";

  @TempDir static Path folder;

  private static Path in;
  private static Path expected;
  private static SparkCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    in = SparkRows.write(folder.resolve("in"), 30_000, 20_000, ROWS - 50_000);
    Path documents = Bookworm.writeDocuments(folder.resolve(ClusterMain.DOCUMENTS), TIMES);
    expected = Files.createDirectories(folder.resolve("one-machine"));
    cluster = SparkCluster.start(folder.resolve("cluster"), 2);
    onOneMachine();
    textOnOneMachine(documents);
  }

  private static void onOneMachine() throws IOException {
    try (SAE sae = SparkRows.sae()) {
      ActivationSource source = ActivationSource.open(List.of(in), sae.dIn());
      EncodeRun.toFolder(sae, source, expected.resolve("latents"), ClusterMain.ENCODE);
      Files.writeString(
          expected.resolve("evaluation.json"),
          ClusterMain.json(EvaluationRun.run(sae, source, EvaluationRunOptions.defaults())));
      Files.writeString(
          expected.resolve("exploration.json"),
          ClusterMain.json(new Explorer(sae).explore(source, ClusterMain.explorer())));
    }
  }

  private static void textOnOneMachine(Path documents) throws IOException {
    try (LanguageModel model = LanguageModel.load(Bookworm.MODEL);
        SAE sae = SAE.load(Bookworm.SAE_FOLDER)) {
      List<Tokens> texts = Bookworm.contexts(model, documents);
      new ActivationExport(model, Bookworm.HOOKS, false, n -> {})
          .toFile(texts, expected.resolve("activations.safetensors"));
      Files.writeString(
          expected.resolve(TEXT_FIGURES),
          ClusterMain.json(
              new TextEvaluationRun(model, EvaluationOptions.defaults())
                  .run(
                      texts,
                      List.of(
                          TextEvaluationRun.Candidate.of(sae, () -> SAE.load(Bookworm.SAE_FOLDER))))
                  .get(0)));
    }
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static void assertLatents(Path out) throws IOException {
    assertThat(SparkRows.contents(out.resolve("latents")))
        .hasSize(17)
        .isEqualTo(SparkRows.contents(expected.resolve("latents")));
  }

  private static void assertFigures(Path out, String name) {
    assertThat(out.resolve(name)).hasSameTextualContentAs(expected.resolve(name));
  }

  private static void assertActivations(Path out) throws IOException {
    List<Path> files = List.copyOf(data(out.resolve("activations")).keySet());
    assertThat(files).hasSizeGreaterThan(4);
    for (String hook : Bookworm.HOOKS) {
      assertThat(Bookworm.read(files, hook))
          .isEqualTo(Bookworm.read(List.of(expected.resolve("activations.safetensors")), hook));
    }
  }

  /** The data files of a run that are under their names, with the time of their last change. */
  private static Map<Path, FileTime> data(Path run) throws IOException {
    Map<Path, FileTime> data = new TreeMap<>();
    try (Stream<Path> files = Files.list(run)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(".safetensors") && !name.startsWith(".")) {
          data.put(file, Files.getLastModifiedTime(file));
        }
      }
    }
    return data;
  }

  private static Path out(String name) throws IOException {
    return Files.createDirectories(folder.resolve(name));
  }

  /** Two drivers share the cluster; each is killed when a part of its task is done. */
  private static void killInTheMiddle(Path out, String... tasks) throws Exception {
    Map<String, Process> drivers = new TreeMap<>();
    for (String task : tasks) {
      drivers.put(task, cluster.driver("killed-" + task, 1, in, out, List.of(task)));
    }
    for (String task : tasks) {
      Process driver = drivers.get(task);
      cluster.awaitMiddle("killed-" + task, driver, task);
      SparkCluster.kill(driver);
      assertThat(cluster.log("killed-" + task)).doesNotContain("DONE " + task);
    }
  }

  @Test
  @Order(1)
  void everyJob_driverKilledInTheMiddle_isFinishedByTheSameCall() throws Exception {
    Path out = out("driver-killed");
    killInTheMiddle(out, "evaluate", "explore");
    assertThat(out).isEmptyDirectory();
    killInTheMiddle(out, "encode", "activations");
    assertThat(out.resolve("latents/index.json")).doesNotExist();
    assertThat(out.resolve("activations/" + ExportJob.INDEX)).doesNotExist();
    Map<Path, FileTime> before = data(out.resolve("latents"));
    before.putAll(data(out.resolve("activations")));
    assertThat(before).hasSizeBetween(2, 20);

    Process driver =
        cluster.driver(
            "second", 2, in, out, List.of("encode", "evaluate", "explore", "activations", "text"));

    assertThat(cluster.await(driver)).as(cluster.log("second")).isZero();
    assertLatents(out);
    assertFigures(out, "evaluation.json");
    assertFigures(out, "exploration.json");
    assertActivations(out);
    assertFigures(out, TEXT_FIGURES);
    assertThat(out.resolve("scratch")).doesNotExist();
    for (Map.Entry<Path, FileTime> file : before.entrySet()) {
      assertThat(Files.getLastModifiedTime(file.getKey()))
          .as("%s is not written again", file.getKey())
          .isEqualTo(file.getValue());
    }
  }

  @Test
  @Order(2)
  void encode_saeOfHostsIsNotThatOfTheDriver_isRefusedAtOnce() throws Exception {
    Path sae = folder.resolve("sae");
    Path other = folder.resolve("other-sae");
    HandSae.write(sae, "none", directions(1));
    HandSae.write(other, "none", directions(2));
    Path out = out("other-sae-out");

    Process driver = cluster.driver("other", 2, in, out, List.of("other-sae=" + sae + "," + other));
    int exit = cluster.await(driver);

    assertThat(exit).as(cluster.log("other")).isZero();
    assertThat(cluster.log("other"))
        .contains("REFUSED ")
        .contains("the SAE of this host is not that of the driver: parameters_sha256 was")
        .doesNotContain("failed 4 times");
    assertThat(data(out.resolve("refused"))).isEmpty();
    assertThat(out.resolve("refused/index.json")).doesNotExist();
  }

  private static float[][] directions(int seed) {
    float[][] rows = new float[8][SparkRows.D_IN];
    for (int i = 0; i < rows.length; i++) {
      rows[i][i * seed] = seed;
    }
    return rows;
  }

  /** Each task loses the worker that has been there for longest, and another one joins. */
  @Test
  @Order(3)
  void everyJob_workerKilledInTheMiddle_givesTheBytesAndFiguresOfOneMachine() throws Exception {
    Path out = out("worker-killed");
    List<String> tasks = List.of("encode", "evaluate", "explore", "activations");
    Process driver = cluster.driver("lost", 2, in, out, tasks);
    for (String task : tasks) {
      cluster.awaitMiddle("lost", driver, task);
      cluster.killOldestWorker();
      cluster.addWorker();
    }

    assertThat(cluster.await(driver)).as(cluster.log("lost")).isZero();
    assertThat(cluster.log("lost").split("Lost executor", -1)).hasSize(tasks.size() + 1);
    assertLatents(out);
    assertFigures(out, "evaluation.json");
    assertFigures(out, "exploration.json");
    assertActivations(out);
  }
}
