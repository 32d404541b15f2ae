package io.matryoshka.sae.spark;

import io.matryoshka.sae.eval.EvaluationReport;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.explore.ExplorationReport;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** A driver: {@code MASTER INPUT OUTPUT TASK...}; writes what it finds to files of the output. */
final class ClusterMain {

  static final EncodeOptions ENCODE = EncodeOptions.defaults().saeName("demo").rowsPerShard(4096);

  private ClusterMain() {}

  /** Latents whose profiles are compared; each costs a search for its nearest ones. */
  static ExplorerOptions explorer() {
    return ExplorerOptions.defaults().latents(IntStream.range(0, 20).boxed().toList());
  }

  public static void main(String[] args) throws Exception {
    SparkConf conf =
        SaeSpark.configure(
            LocalSpark.conf()
                .setMaster(args[0])
                .set("spark.executor.cores", "1")
                .set("spark.executor.memory", "1g")
                .set("spark.default.parallelism", "4")
                .set("spark.executor.extraJavaOptions", "-Dai.djl.offline=true"));
    try (SparkSession spark = SparkSession.builder().config(conf).getOrCreate()) {
      Path out = Path.of(args[2]);
      for (String task : List.of(args).subList(3, args.length)) {
        run(spark, List.of(args[1]), out, task);
        System.out.println("DONE " + task);
      }
    }
  }

  private static void run(SparkSession spark, List<String> in, Path out, String task)
      throws Exception {
    if (task.startsWith("other-sae=")) {
      otherSae(spark, in, out, task.substring(task.indexOf('=') + 1).split(","));
      return;
    }
    SparkRuns runs = SparkRuns.on(spark, SparkRows.ref());
    ActivationSource source = runs.open(in);
    switch (task) {
      case "encode" -> runs.encode(source, out.resolve("latents").toString(), ENCODE);
      case "evaluate" ->
          Files.writeString(
              out.resolve("evaluation.json"),
              new EvaluationReport(
                      "demo",
                      runs.evaluate(source, EvaluationRunOptions.defaults()),
                      Optional.empty(),
                      Optional.empty())
                  .json());
      case "explore" ->
          Files.writeString(
              out.resolve("exploration.json"),
              new ExplorationReport(
                      "demo",
                      Optional.empty(),
                      runs.explore(source, explorer()),
                      Optional.empty(),
                      Optional.empty())
                  .json());
      default -> throw new IllegalArgumentException(task);
    }
  }

  /** The SAE of a folder changes after the driver has opened it, before an executor does. */
  private static void otherSae(SparkSession spark, List<String> in, Path out, String[] folders)
      throws Exception {
    SparkRuns runs = SparkRuns.on(spark, SaeRef.folder(folders[0]));
    try (Stream<Path> files = Files.list(Path.of(folders[1]))) {
      for (Path file : files.toList()) {
        Path target = Path.of(folders[0]).resolve(file.getFileName());
        Path half = target.resolveSibling("half");
        Files.copy(file, half);
        Files.move(half, target, StandardCopyOption.REPLACE_EXISTING);
      }
    }
    try {
      runs.encode(runs.open(in), out.resolve("refused").toString(), ENCODE);
    } catch (SparkJobException e) {
      System.out.println("REFUSED " + e.getMessage());
    }
  }
}
