package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.explore.ExplorationReport;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeRun;
import io.matryoshka.sae.support.HandSae;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * meanwhile. The last test loses a worker.
 */
@Tag("spark")
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SparkClusterTest {

  private static final int ROWS = 65_536;

  @TempDir static Path folder;

  private static Path in;
  private static Path expected;
  private static SparkCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    in = SparkRows.write(folder.resolve("in"), 30_000, 20_000, ROWS - 50_000);
    expected = Files.createDirectories(folder.resolve("one-machine"));
    try (SAE sae = SparkRows.sae()) {
      ActivationSource source = ActivationSource.open(List.of(in), sae.dIn());
      EncodeRun.toFolder(sae, source, expected.resolve("latents"), ClusterMain.ENCODE);
      Files.writeString(
          expected.resolve("evaluation.json"),
          new EvaluationReport(
                  "demo",
                  EvaluationRun.run(sae, source, EvaluationRunOptions.defaults()),
                  Optional.empty(),
                  Optional.empty())
              .json());
      Files.writeString(
          expected.resolve("exploration.json"),
          new ExplorationReport(
                  "demo",
                  Optional.empty(),
                  new Explorer(sae).explore(source, ClusterMain.explorer()),
                  Optional.empty(),
                  Optional.empty())
              .json());
    }
    cluster = SparkCluster.start(folder.resolve("cluster"), 2);
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

  private static void assertFigures(Path out) {
    for (String name : List.of("evaluation.json", "exploration.json")) {
      assertThat(out.resolve(name)).hasSameTextualContentAs(expected.resolve(name));
    }
  }

  private static Map<String, FileTime> shards(Path latents) throws IOException {
    Map<String, FileTime> shards = new TreeMap<>();
    if (Files.isDirectory(latents)) {
      try (Stream<Path> files = Files.list(latents)) {
        for (Path file : files.toList()) {
          if (file.getFileName().toString().startsWith("latents-")) {
            shards.put(file.getFileName().toString(), Files.getLastModifiedTime(file));
          }
        }
      }
    }
    return shards;
  }

  private static void awaitShards(Process driver, Path latents, int count) throws Exception {
    while (driver.isAlive() && shards(latents).size() < count) {
      Thread.sleep(2);
    }
  }

  private static Path out(String name) throws IOException {
    return Files.createDirectories(folder.resolve(name));
  }

  @Test
  @Order(1)
  void encode_driverKilled_isFinishedByTheSameCall_withoutWritingAgain() throws Exception {
    Path out = out("driver-killed");
    Process driver = cluster.driver("killed", ClusterMain.class, in, out, "encode");
    awaitShards(driver, out.resolve("latents"), 2);
    boolean inTheMiddle = driver.isAlive();
    SparkCluster.kill(driver);
    assertThat(inTheMiddle).as(cluster.log("killed")).isTrue();
    assertThat(out.resolve("latents/index.json")).doesNotExist();
    Map<String, FileTime> before = shards(out.resolve("latents"));

    int exit =
        cluster.await(
            cluster.driver("second", ClusterMain.class, in, out, "encode", "evaluate", "explore"));

    assertThat(exit).as(cluster.log("second")).isZero();
    assertLatents(out);
    assertFigures(out);
    before.forEach(
        (name, time) ->
            assertThat(out.resolve("latents").resolve(name))
                .matches(file -> time.toMillis() == file.toFile().lastModified()));
  }

  @Test
  @Order(2)
  void encode_saeOfHostsIsNotThatOfTheDriver_isRefusedAtOnce() throws Exception {
    Path sae = folder.resolve("sae");
    Path other = folder.resolve("other-sae");
    HandSae.write(sae, "none", directions(1));
    HandSae.write(other, "none", directions(2));
    Path out = out("other-sae-out");

    int exit =
        cluster.await(
            cluster.driver("other", ClusterMain.class, in, out, "other-sae=" + sae + "," + other));

    assertThat(exit).as(cluster.log("other")).isZero();
    assertThat(cluster.log("other"))
        .contains("REFUSED ")
        .contains("the SAE of this host is not that of the driver: parameters_sha256 was")
        .doesNotContain("failed 4 times");
    assertThat(shards(out.resolve("refused"))).isEmpty();
    assertThat(out.resolve("refused/index.json")).doesNotExist();
  }

  private static float[][] directions(int seed) {
    float[][] rows = new float[8][SparkRows.D_IN];
    for (int i = 0; i < rows.length; i++) {
      rows[i][i * seed] = seed;
    }
    return rows;
  }

  @Test
  @Order(3)
  void allJobs_workerKilledInTheMiddle_giveTheBytesAndFiguresOfOneMachine() throws Exception {
    Path out = out("worker-killed");
    Process driver =
        cluster.driver("lost", ClusterMain.class, in, out, "encode", "evaluate", "explore");
    awaitShards(driver, out.resolve("latents"), 1);
    assertThat(out.resolve("latents/index.json")).doesNotExist();
    cluster.killWorker(0);

    assertThat(cluster.await(driver)).as(cluster.log("lost")).isZero();
    assertThat(cluster.log("lost")).contains("Lost executor");
    assertLatents(out);
    assertFigures(out);
  }
}
