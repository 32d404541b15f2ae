package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.explore.ExplorationReport;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.spark.support.SparkRows;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeRun;
import io.matryoshka.sae.support.SourceFiles;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The jar for clusters, started by {@code spark-submit} on a cluster whose hosts have Spark alone,
 * gives the bytes and figures of one machine. Runs once the jar is packed.
 */
@Tag("spark")
@Timeout(300)
class SparkJarTest {

  private static final String SAE_NAME = SparkRows.RELEASE + " " + SparkRows.SAE_ID;

  @TempDir static Path folder;

  private static Path jar;
  private static Path in;
  private static SparkCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    try (Stream<Path> files = Files.list(SourceFiles.PROJECT.resolve("target"))) {
      Optional<Path> packed =
          files.filter(file -> file.getFileName().toString().endsWith("-spark.jar")).findFirst();
      assumeTrue(packed.isPresent(), "the jar for clusters is not packed (maven.shade.skip)");
      jar = packed.get();
    }
    in = SparkRows.write(folder.resolve("in"), 9000, 8000, 3000);
    cluster = SparkCluster.startWithSparkAlone(folder.resolve("cluster"), 2);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static List<Path> natives() {
    return Arrays.stream(SparkCluster.classPath().split(File.pathSeparator))
        .filter(entry -> entry.matches(".*(pytorch-native-cpu|pytorch-jni)-[^/\\\\]*\\.jar"))
        .map(Path::of)
        .toList();
  }

  private static Process submit(String name, int cores, String words) throws IOException {
    return cluster.submit(
        name,
        cores,
        natives(),
        jar,
        List.of((name + " " + SAE_NAME + " -i " + in + words).split(" ")));
  }

  @Test
  void encode_evaluate_explore_giveTheBytesAndFiguresOfOneMachine() throws Exception {
    assertThat(natives()).hasSize(2);
    Path out = folder.resolve("latents");
    Path widths = folder.resolve("widths.csv");
    Path latents = folder.resolve("latents.csv");

    Process encode = submit("encode", 2, " --rows-per-shard 3000 -o " + out);
    assertThat(cluster.await(encode)).as(cluster.log("encode")).isZero();
    Process evaluate = submit("evaluate", 1, " --csv " + widths);
    Process explore = submit("explore", 1, " --latent 0-19 --csv " + latents);
    assertThat(cluster.await(evaluate)).as(cluster.log("evaluate")).isZero();
    assertThat(cluster.await(explore)).as(cluster.log("explore")).isZero();

    try (SAE sae = SparkRows.sae()) {
      ActivationSource source = ActivationSource.open(List.of(in), sae.dIn());
      Path one = folder.resolve("one");
      EncodeRun.toFolder(
          sae, source, one, EncodeOptions.defaults().saeName(SAE_NAME).rowsPerShard(3000));
      assertThat(SparkRows.contents(out)).hasSize(8).isEqualTo(SparkRows.contents(one));
      assertThat(widths)
          .content()
          .isEqualTo(
              new EvaluationReport(
                      SAE_NAME,
                      EvaluationRun.run(sae, source, EvaluationRunOptions.defaults()),
                      Optional.empty(),
                      Optional.empty())
                  .widthsCsv());
      assertThat(latents)
          .content()
          .isEqualTo(
              new ExplorationReport(
                      SAE_NAME,
                      Optional.empty(),
                      new Explorer(sae).explore(source, ClusterMain.explorer()),
                      Optional.empty(),
                      Optional.empty())
                  .csv());
    }
    assertThat(cluster.log("evaluate")).contains("explained variance");
  }
}
